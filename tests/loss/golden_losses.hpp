#pragma once
// What PyTorch made of the losses (tests/golden/losses/make_losses.py), and value and gradient of a
// loss to hold against it.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include <mien/autograd/engine.hpp>
#include <mien/io/safetensors.hpp>

#include "support/data_dir.hpp"
#include "support/difference.hpp"

namespace mien::test {

class GoldenLosses {
 public:
  // The arrays whose names begin with `loss` and a dot.
  explicit GoldenLosses(std::string loss) : loss_(std::move(loss)) {
    for (const auto& [name, tensor] :
         io::read_safetensors(golden_path("losses/losses.safetensors")).tensors)
      tensors_.emplace(name, tensor);
  }

  template <class T>
  Tensor<T> get(const std::string& name) const {
    return tensors_.at(loss_ + '.' + name).template as<T>();
  }

  // loss_of(x) -> a scalar; x is the golden `input`. T = double: to 1e-12; float: to 1e-5.
  template <class T, class Loss>
  void expect(const std::string& name, const char* input, Loss&& loss_of) const {
    constexpr double tolerance = std::is_same_v<T, double> ? 1e-12 : 1e-5;
    Tensor<T> x = get<T>(input);
    x.set_requires_grad();
    const Tensor<T> loss = loss_of(x);
    EXPECT_EQ(loss.shape(), Shape{});
    loss.backward();
    EXPECT_EQ(difference(loss.detach().view_as({1}), get<double>(name + ".loss"), tolerance), "")
        << name;
    EXPECT_EQ(difference(x.grad(), get<double>(name + ".gradient"), tolerance), "") << name;
  }

 private:
  std::string loss_;
  std::map<std::string, AnyTensor> tensors_;
};

}  // namespace mien::test
