#pragma once
// Benchmarks of an op from its struct (ops/op.hpp): forward and backward by themselves, float.
// Bytes are those of the inputs and of what is written, each counted once, however often an op goes
// over them.

#include <cmath>
#include <string>
#include <vector>

#include <mien/ops/op.hpp>

#include "kernels/ceiling.hpp"

namespace mien::bench {

// A call of an op; what it is given comes from the ring.
template <class Op>
struct Call {
  Op op;
  std::vector<Tensor<float>> in;
  Tensor<float> dy;        // defined once forward has run for backward
  Context<float> context;  // what it then kept

  Call(const Op& chosen, const std::vector<Shape>& shapes) : op(chosen) {
    for (const Shape& shape : shapes) in.push_back(inputs().next(shape).set_requires_grad());
    context = Context<float>(in);
  }
  // For backward.
  Tensor<float> forward() {
    const Tensor<float> y = op.forward(context, Inputs<float>(in));
    dy = inputs().next(y.shape());
    return y;
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
  const Tensor<float> y = call.forward(), expected = call.op.reference(Inputs<float>(call.in));
  if (const auto wrong = mismatch(y, expected); !wrong.empty()) return wrong;
  const auto gradients = call.op.backward(call.context, call.dy);
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
  const double numeric = (dot(op.reference(Inputs<double>(behind)), dy) -
                          dot(op.reference(Inputs<double>(before)), dy)) /
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
      return call.op.forward(unrecorded, Inputs<float>(call.in));
    });
  });
  add_benchmark(name("_grad"), [=](benchmark::State& state) {
    measure_op<Gradients<float>>(state, op, shapes, 2 * in + out, [](Call<Op>& call) {
      if (!call.dy.defined()) call.forward();
      return call.op.backward(call.context, call.dy);
    });
  });
}

}  // namespace mien::bench
