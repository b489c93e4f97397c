#pragma once
// What the tests of losses share: their workspace, and what PyTorch made of the same inputs
// (tests/golden/losses/make_losses.py).

#include <map>
#include <string>
#include <vector>

#include <mien/cuda/loss.hpp>
#include <mien/io/safetensors.hpp>

#include <support/backend.hpp>
#include <support/data_dir.hpp>

namespace mien::test {

class LossMemory {
 public:
  kernels::LossWorkspace workspace() { return {partial_.data(), divisor_.data(), done_.data()}; }

 private:
  Buffer<float> partial_{kernels::loss_most_blocks}, divisor_{1};
  Buffer<unsigned> done_{std::vector<unsigned>(1)};
};

// The golden arrays of one loss, by the rest of their names.
inline std::map<std::string, std::vector<double>> loss_goldens(const std::string& loss) {
  std::map<std::string, std::vector<double>> goldens;
  for (const auto& [name, tensor] :
       io::read_safetensors(golden_path("losses/losses.safetensors")).tensors) {
    if (name.rfind(loss + '.', 0) != 0) continue;
    const auto values = tensor.template as<double>();
    goldens.emplace(name.substr(loss.size() + 1),
                    std::vector<double>(values.data(), values.data() + values.numel()));
  }
  return goldens;
}

template <class T>
std::vector<T> values_as(const std::vector<double>& values) {
  std::vector<T> converted;
  for (const double value : values) converted.push_back(static_cast<T>(value));
  return converted;
}

}  // namespace mien::test
