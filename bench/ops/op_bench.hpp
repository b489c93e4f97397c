#pragma once
// Benchmarks of an op from its struct (ops/op.hpp): forward and backward by themselves, float.
// Bytes are those of the inputs and of what is written, each counted once, however often an op goes
// over them.

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <mien/ops/op.hpp>

#include "kernels/ceiling.hpp"

namespace mien::bench {

// An op's inputs with its weights, if it takes any, behind them: of one type here.
template <class Op, class T>
struct Operands {
  Inputs<T> inputs;
  Weights<T> weights;

  explicit Operands(const std::vector<Tensor<T>>& all) : inputs(all) {
    if constexpr (TakesWeights<Op>) {
      inputs = inputs.first(Op::first_weight);
      weights = Weights<T>(all).subspan(Op::first_weight);
    }
  }
  Tensor<T> forward(Op& op, Context<T>& context) const {
    if constexpr (TakesWeights<Op>)
      return op.forward(context, inputs, weights);
    else
      return op.forward(context, inputs);
  }
  Tensor<T> reference(const Op& op) const {
    if constexpr (TakesWeights<Op>)
      return op.reference(inputs, weights);
    else
      return op.reference(inputs);
  }
};

// A call of an op; what it is given comes from the ring.
template <class Op>
struct Call {
  Op op;
  std::vector<Tensor<float>> in;
  Tensor<float> dy;        // defined once forward has run for backward
  Context<float> context;  // what it then kept

  Call(const Op& chosen, const std::vector<Shape>& shapes) : op(chosen) {
    for (const Shape& shape : shapes) in.push_back(inputs().next(shape).set_requires_grad());
    const Operands<Op, float> operands(in);
    context = Context<float>(operands.inputs, operands.weights);
  }
  // For backward.
  Tensor<float> forward() {
    const Tensor<float> y = Operands<Op, float>(in).forward(op, context);
    dy = inputs().next(y.shape());
    return y;
  }
  // Of inputs and weights.
  Gradients<float> backward() const {
    auto gradients = op.backward(context, dy);
    if constexpr (TakesWeights<Op>) {
      Gradients<float> all = std::move(gradients.inputs);
      all.insert(all.end(), gradients.weights.begin(), gradients.weights.end());
      return all;
    } else {
      return gradients;
    }
  }
};

// Sum of a * b.
template <class T>
double dot(const Tensor<T>& a, const Tensor<T>& b) {
  double sum = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i)
    sum += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
  return sum;
}

// Forward against the reference, and the gradients against the reference's slope along a random
// direction: empty where they agree.
template <class Op>
std::string check_op(const Op& op, const std::vector<Shape>& shapes) {
  Call<Op> call(op, shapes);
  const Tensor<float> y = call.forward(),
                      expected = Operands<Op, float>(call.in).reference(call.op);
  if (const auto wrong = mismatch(y, expected); !wrong.empty()) return wrong;
  const Gradients<float> gradients = call.backward();
  constexpr double step = 1e-5;
  std::vector<Tensor<double>> before, behind;
  double slope = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Tensor<double> x = call.in[i].template to<double>();
    const Tensor<float> direction = inputs().next(shapes[i]);
    slope += dot(gradients[i], direction);
    before.push_back(x.clone());
    behind.push_back(x.clone());
    for (std::int64_t j = 0; j < x.numel(); ++j) {
      before.back().mutable_data()[j] -= step * direction.data()[j];
      behind.back().mutable_data()[j] += step * direction.data()[j];
    }
  }
  const auto dy = call.dy.template to<double>();
  const double numeric = (dot(Operands<Op, double>(behind).reference(op), dy) -
                          dot(Operands<Op, double>(before).reference(op), dy)) /
                         (2 * step);
  const double scale = std::sqrt(static_cast<double>(y.numel()));
  if (std::abs(slope - numeric) <= 1e-3 * scale) return {};
  return str("slope ", slope, " by backward, ", numeric, " by the reference");
}

inline std::int64_t float_bytes(const std::vector<Shape>& shapes) {
  std::int64_t numbers = 0;
  for (const Shape& shape : shapes) numbers += shape.numel();
  return numbers * static_cast<std::int64_t>(sizeof(float));
}

// As many calls as fill the ring, each with what it gave last, so that results do not stay in a
// cache either.
template <class Op, class Result>
struct Rotation {
  std::vector<Call<Op>> calls;
  std::vector<Result> results;
  std::size_t turn = 0;

  Rotation(const Op& op, const std::vector<Shape>& shapes) {
    for (std::int64_t bytes = 0; bytes < RandomRing::bytes; bytes += float_bytes(shapes))
      calls.emplace_back(op, shapes);
    results.resize(calls.size());
  }
  // result = run(call) for the next call.
  template <class F>
  void next(F&& run) {
    results[turn] = run(calls[turn]);
    turn = (turn + 1) % calls.size();
  }
};

// Times run(call), having run every call once.
template <class Result, class Op, class F>
void measure_op(benchmark::State& state, const Op& op, const std::vector<Shape>& shapes,
                std::int64_t bytes, F&& run) {
  const NoGrad no_grad;
  std::vector<Shape> small = shapes;
  for (Shape& shape : small)
    if (shape.rank() > 1) shape[0] = 1;
  if (const auto wrong = check_op(op, small); !wrong.empty())
    return state.SkipWithError(wrong.c_str());
  Rotation<Op, Result> rotation(op, shapes);
  for (std::size_t i = 0; i < rotation.calls.size(); ++i) rotation.next(run);
  measure(state, {.bytes = bytes}, [&] { rotation.next(run); });
}

// Registers the op's forward and backward on inputs of these shapes.
template <class Op>
void add_op(const Op& op, const std::vector<Shape>& shapes) {
  const auto name = [&](const char* pass) {
    std::string text = str(Op::name, pass, '/');
    for (int i = 0; i < shapes[0].rank(); ++i) text += str(i > 0 ? "x" : "", shapes[0][i]);
    return text;
  };
  const std::int64_t in = float_bytes(shapes), out = float_bytes({op.shape(shapes)});
  add_benchmark(name(""), [=](benchmark::State& state) {
    measure_op<Tensor<float>>(state, op, shapes, in + out, [](Call<Op>& call) {
      Context<float> unrecorded;
      return Operands<Op, float>(call.in).forward(call.op, unrecorded);
    });
  });
  add_benchmark(name("_grad"), [=](benchmark::State& state) {
    measure_op<Gradients<float>>(state, op, shapes, 2 * in + out, [](Call<Op>& call) {
      if (!call.dy.defined()) call.forward();
      return call.backward();
    });
  });
}

}  // namespace mien::bench
