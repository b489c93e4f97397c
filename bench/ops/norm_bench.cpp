// Batch norm with the statistics of the batch and SiLU behind it, as EfficientNet-B0 trains. It
// must go over its input twice: once for the statistics.

#include <mien/ops/batch_norm.hpp>

#include "ops/op_bench.hpp"

namespace {

const bool registered = [] {
  const mien::ops::BatchNorm<float> norm({.activation = mien::Activation::silu});
  for (const mien::Shape& x : {mien::Shape{4, 112, 112, 96}, {4, 28, 28, 240}, {4, 7, 7, 1152}})
    mien::bench::add_op(norm, {x, {x[3]}, {x[3]}});
  return true;
}();

}  // namespace
