#pragma once
// The checks that every op passes, generated from its samples:
//   parity     forward equals the readable reference, for each element type and instruction set
//   gradcheck  backward equals central differences, in double
//   precision  gradients in float, bf16 and f16 equal those in double within the type's tolerance
//   torch      value and gradients equal PyTorch's (tests/golden/ops)

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <mien/autograd/gradcheck.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/io/safetensors.hpp>

#include "support/data_dir.hpp"
#include "support/difference.hpp"
#include "support/op_samples.hpp"

namespace mien::test {

// |got - expected| <= tolerance * max(1, largest |expected|). One table for all ops; `depth` of
// accumulation stays small in samples.
template <class T>
constexpr double tolerance() {
  if constexpr (std::is_same_v<T, double>) return 1e-12;
  if constexpr (std::is_same_v<T, float>) return 4e-6;
  if constexpr (std::is_same_v<T, f16>) return 4e-3;
  return 3e-2;  // bf16
}

// Every set of the machine, or the one that MIEN_ISA names.
inline std::vector<Isa> machine_isas() {
  if (std::getenv("MIEN_ISA") != nullptr) return {active_isa()};
  std::vector<Isa> isas;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (isa <= best_isa()) isas.push_back(isa);
  return isas;
}

template <class T>
std::vector<Tensor<T>> converted(const std::vector<Tensor<double>>& tensors) {
  std::vector<Tensor<T>> out;
  for (const auto& x : tensors) out.push_back(x.defined() ? x.to<T>() : Tensor<T>());
  return out;
}

// How many of so many inputs of an op are of type T; the rest are weights.
template <class Op>
std::size_t num_inputs(std::size_t all) {
  if constexpr (TakesWeights<Op>)
    return Op::first_weight;
  else
    return all;
}

// The inputs and weights of a sample.
template <class T>
struct SampleValues {
  std::vector<Tensor<T>> inputs;
  std::vector<Tensor<Compute<T>>> weights;

  template <class Op>
  SampleValues(const Sample<Op>& sample, const std::vector<Tensor<double>>& values) {
    const std::size_t all = sample.inputs.size();
    const auto at = [&](std::size_t i) { return values.begin() + static_cast<std::ptrdiff_t>(i); };
    inputs = converted<T>({at(0), at(num_inputs<Op>(all))});
    weights = converted<Compute<T>>({at(num_inputs<Op>(all)), at(all)});
  }
  template <class Op>
  Tensor<T> apply(const Op& op) const {
    return mien::apply(op, Inputs<T>(inputs), Weights<T>(weights));
  }
  template <class Op>
  Tensor<T> reference(const Op& op) const {
    if constexpr (TakesWeights<Op>)
      return op.reference(Inputs<T>(inputs), Weights<T>(weights));
    else
      return op.reference(Inputs<T>(inputs));
  }
  // Calls f for each input and weight, in order.
  template <class F>
  void each(F&& f) {
    for (auto& x : inputs) f(x);
    for (auto& w : weights) f(w);
  }
};

// Value (first) and gradients of the sample at inputs of type T; `values` ends with dy.
template <class T, class Op>
std::vector<Tensor<double>> value_and_gradients(const Sample<Op>& sample,
                                                const std::vector<Tensor<double>>& values) {
  SampleValues<T> x(sample, values);
  x.each([](auto& input) {
    if (input.defined()) input.set_requires_grad();
  });
  const Tensor<T> y = x.apply(sample.op);
  y.backward(values.back().to<T>());
  std::vector<Tensor<double>> out{y.template to<double>()};
  x.each([&](auto& input) { out.push_back(input.grad().template to<double>()); });
  return out;
}

template <class T, class Op>
void check_parity(const Sample<Op>& sample) {
  const SampleValues<T> x(sample, sample_inputs(sample));
  const NoGrad no_grad;
  const Tensor<double> expected = x.reference(sample.op).template to<double>();
  EXPECT_EQ(difference(x.apply(sample.op), expected, tolerance<T>()), "");
}

template <class Op>
void check_gradient(const Sample<Op>& sample) {
  std::vector<Tensor<double>> x = sample_inputs(sample);
  x.pop_back();
  for (auto& input : x)
    if (input.defined()) input.set_requires_grad();
  const auto f = [&](const std::vector<Tensor<double>>& in) {
    const std::size_t inputs = num_inputs<Op>(in.size());
    return apply(sample.op, Inputs<double>(in).first(inputs), Weights<double>(in).subspan(inputs));
  };
  EXPECT_EQ(gradcheck(f, x), "");
}

template <class T, class Op>
void check_precision(const Sample<Op>& sample) {
  // Rounded first, so that both types see the same inputs.
  std::vector<Tensor<double>> values = sample_inputs(sample);
  for (auto& x : values)
    if (x.defined()) x = x.to<T>().template to<double>();
  const auto expected = value_and_gradients<double>(sample, values);
  const auto got = value_and_gradients<T>(sample, values);
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!expected[i].defined()) continue;
    EXPECT_EQ(difference(got[i], expected[i], 4 * tolerance<T>()), "") << "result " << i;
  }
}

// Golden results by name; loaded once.
inline const std::map<std::string, Tensor<double>>& op_goldens() {
  static const auto goldens = [] {
    std::map<std::string, Tensor<double>> all;
    for (const auto& [name, tensor] :
         io::read_safetensors(golden_path("ops/ops.safetensors")).tensors)
      all.emplace(name, tensor.template as<double>());
    return all;
  }();
  return goldens;
}

template <class Op>
void check_torch(const Sample<Op>& sample) {
  const auto values = sample_inputs(sample);
  const auto& goldens = op_goldens();
  const std::string key = sample_key(sample);
  const auto golden = [&](const std::string& part) {
    const auto found = goldens.find(str(key, '/', part));
    return found == goldens.end() ? Tensor<double>() : found->second;
  };
  ASSERT_TRUE(golden("y").defined()) << key << " has no golden: run tests/golden/ops/make_ops.py";
  double sum = 0;
  for (const auto& x : values)
    for (std::int64_t i = 0; i < x.numel(); ++i) sum += x.data()[i];
  ASSERT_NEAR(golden("inputs_sum").item(), sum, 1e-9) << "the sample changed since the golden";
  const auto got = value_and_gradients<double>(sample, values);
  EXPECT_EQ(difference(got[0], golden("y"), 1e-10), "");
  for (std::size_t i = 1; i < got.size(); ++i) {
    if (!values[i - 1].defined()) continue;
    const Tensor<double> expected = golden(str("dx", i - 1));
    ASSERT_TRUE(expected.defined()) << "no golden gradient of input " << i - 1;
    EXPECT_EQ(difference(got[i], expected, 1e-9), "") << "gradient of input " << i - 1;
  }
}

class OpCheck : public testing::Test {
 public:
  OpCheck(Isa isa, std::function<void()> body) : isa_(isa), body_(std::move(body)) {}
  void TestBody() override {
    const IsaScope scope(isa_);
    body_();
  }

 private:
  Isa isa_;
  std::function<void()> body_;
};

// Registers the checks of one op as tests "op/sample.check/isa".
template <TestedOperation<double> Op>
void register_op() {
  for (const auto& sample : Op::samples()) {
    const auto add = [&](const char* check, std::function<void()> body) {
      for (const Isa isa : machine_isas())
        testing::RegisterTest(str(Op::name, '/', sample.name).c_str(),
                              str(check, '/', to_string(isa)).c_str(), nullptr, nullptr, __FILE__,
                              __LINE__, [=]() -> testing::Test* { return new OpCheck(isa, body); });
    };
    add("parity_f32", [=] { check_parity<float>(sample); });
    add("parity_f64", [=] { check_parity<double>(sample); });
    add("parity_bf16", [=] { check_parity<bf16>(sample); });
    add("parity_f16", [=] { check_parity<f16>(sample); });
    add("gradcheck", [=] { check_gradient(sample); });
    add("precision_f32", [=] { check_precision<float>(sample); });
    add("precision_bf16", [=] { check_precision<bf16>(sample); });
    if (!sample.torch.empty()) add("torch", [=] { check_torch(sample); });
  }
}

template <class... Ops>
bool register_ops(TypeList<Ops...>) {
  (register_op<Ops>(), ...);
  return true;
}

}  // namespace mien::test
