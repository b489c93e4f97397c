#pragma once
// What scikit-learn makes of the golden inputs (tests/golden/metrics/make_metrics.py).

#include <gtest/gtest.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include <mien/io/safetensors.hpp>

#include "support/data_dir.hpp"

namespace mien::test {

class GoldenMetrics {
 public:
  GoldenMetrics() {
    for (const auto& [name, tensor] :
         io::read_safetensors(golden_path("metrics/metrics.safetensors")).tensors)
      tensors_.emplace(name, tensor);
  }

  template <class T>
  Tensor<T> get(const std::string& name) const {
    return tensors_.at(name).template as<T>();
  }
  template <class T>
  std::vector<T> values(const std::string& name) const {
    const Tensor<T> tensor = get<T>(name);
    return {tensor.data(), tensor.data() + tensor.numel()};
  }

  void expect(double got, const std::string& name) const { expect(std::vector{got}, name); }
  void expect(std::span<const double> got, const std::string& name) const {
    const auto expected = values<double>(name);
    ASSERT_EQ(got.size(), expected.size()) << name;
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-13) << name << ", " << i;
  }

 private:
  std::map<std::string, AnyTensor> tensors_;
};

}  // namespace mien::test
