// Elementwise ops on activations of EfficientNet-B0.

#include <mien/ops/mul.hpp>
#include <mien/ops/relu.hpp>
#include <mien/ops/sigmoid.hpp>
#include <mien/ops/silu.hpp>

#include "ops/op_bench.hpp"

namespace {

using mien::Shape;
using mien::bench::add_op;

const bool registered = [] {
  for (const Shape& x : {Shape{1, 112, 112, 96}, Shape{1, 14, 14, 480}}) {
    add_op(mien::Unary<mien::ops::Silu>{}, {x});
    add_op(mien::Unary<mien::ops::Sigmoid>{}, {x});
    add_op(mien::Unary<mien::ops::Relu>{}, {x});
    add_op(mien::Binary<mien::ops::Mul>{}, {x, x});
  }
  return true;
}();

}  // namespace
