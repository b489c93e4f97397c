// Softmax over the classes of ImageNet.

#include <mien/ops/softmax.hpp>

#include "ops/op_bench.hpp"

namespace {

const bool registered = [] {
  for (const mien::Shape& x : {mien::Shape{16, 1000}, {1024, 1000}}) {
    mien::bench::add_op(mien::ops::Softmax{}, {x});
    mien::bench::add_op(mien::ops::LogSoftmax{}, {x});
  }
  return true;
}();

}  // namespace
