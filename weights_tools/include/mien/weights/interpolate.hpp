#pragma once
// Network interpolation: weights between those of two networks of one architecture give results
// between theirs. Wang et al., "ESRGAN", ECCVW 2018, section 3.4.

#include <mien/weights/checkpoint.hpp>

namespace mien::weights {

// share * a + (1 - share) * b for every tensor, in float32. Both must hold the same tensors.
inline Checkpoint interpolate(const Checkpoint& a, const Checkpoint& b, float share) {
  check(a.tensors.size() == b.tensors.size(), "interpolate", a.file, " holds ", a.tensors.size(),
        " tensors, ", b.file, " ", b.tensors.size());
  Checkpoint out = a;
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const auto& [name, first] = a.tensors[i];
    const auto& [other, second] = b.tensors[i];
    check(name == other && first.shape() == second.shape(), "interpolate", a.file, " has ", name,
          " of shape ", first.shape(), " where ", b.file, " has ", other, " of shape ",
          second.shape());
    const Tensor<float> x = first.as<float>(), y = second.as<float>();
    Tensor<float> mixed(x.shape());
    float* p = mixed.mutable_data();
    for (std::int64_t j = 0; j < mixed.numel(); ++j)
      p[j] = share * x.data()[j] + (1 - share) * y.data()[j];
    out.tensors[i].second = mixed;
  }
  return out;
}

}  // namespace mien::weights
