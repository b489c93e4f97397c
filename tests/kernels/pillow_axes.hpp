#pragma once
// The weights of Pillow's resampling in the device's memory, made by the engine's own function.

#include <cstdint>
#include <vector>

#include <mien/cuda/resize_pillow.hpp>
#include <mien/data/resize_pillow.hpp>

#include <support/backend.hpp>

namespace mien::test {

class PillowAxis {
 public:
  PillowAxis(std::int64_t in, std::int64_t out, data::PillowFilter filter)
      : PillowAxis(data::detail::PillowWeights(in, out, filter), out) {}

  kernels::ResizeAxis axis() { return {first_.data(), count_.data(), weights_.data(), stride_}; }

 private:
  PillowAxis(const data::detail::PillowWeights& weights, std::int64_t out)
      : first_(copy(weights.pass().first, out)),
        count_(copy(weights.pass().count, out)),
        weights_(copy(weights.pass().weights, out * weights.pass().stride)),
        stride_(weights.pass().stride) {}

  static std::vector<std::int32_t> copy(const std::int32_t* from, std::int64_t n) {
    return {from, from + n};
  }

  Buffer<std::int32_t> first_, count_, weights_;
  std::int64_t stride_;
};

}  // namespace mien::test
