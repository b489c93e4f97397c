#pragma once
// The inputs of an op's samples: random, but the same wherever they are made (tests, goldens).

#include <cstdint>
#include <string>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/ops/op.hpp>

namespace mien::test {

// FNV-1a: a seed from a name.
inline std::uint64_t seed_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

template <class Op>
std::string sample_key(const Sample<Op>& sample) {
  return str(Op::name, '/', sample.name);
}

// The sample's inputs, then (behind them) the gradient that arrives at the output.
template <class Op>
std::vector<Tensor<double>> sample_inputs(const Sample<Op>& sample) {
  Generator generator(seed_of(sample_key(sample)));
  std::vector<Tensor<double>> inputs;
  std::vector<Shape> shapes;
  for (const auto& input : sample.inputs) {
    inputs.push_back(input.absent ? Tensor<double>()
                                  : rand<double>(input.shape, generator, input.low, input.high));
    shapes.push_back(inputs.back().shape());
  }
  inputs.push_back(rand<double>(sample.op.shape(shapes), generator, -1.0, 1.0));
  return inputs;
}

}  // namespace mien::test
