#pragma once
// An op that lets tests watch the engine.

#include <stdexcept>
#include <vector>

#include <mien/ops/op.hpp>

namespace mien::test {

// What happened to a Probe; outlives the graph.
struct Record {
  int forwards = 0, backwards = 0;
  bool fail = false;       // backward throws
  bool misshapen = false;  // backward gives gradients of a wrong shape
  bool silent = false;     // backward gives no gradients
  bool grad_enabled = false, recording = false;
  std::vector<bool> needs;
};

// y = a + b of one shape. Backward hands the tensor that arrives to both inputs, without a copy.
struct Probe {
  static constexpr std::string_view name = "probe";
  Record* record = nullptr;

  Shape shape(std::span<const Shape> in) const {
    check(in[0] == in[1], name, "expected equal shapes, got ", in[0], " and ", in[1]);
    return in[0];
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    Tensor<T> y = in[0].clone();
    for (std::int64_t i = 0; i < y.numel(); ++i) y.mutable_data()[i] += in[1].data()[i];
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    if (record != nullptr) {
      ++record->forwards;
      record->grad_enabled = grad_enabled();
      record->recording = ctx.recording();
      record->needs = {ctx.needs(0), ctx.needs(1)};
    }
    return reference<T>(in);
  }

  template <class T>
  Gradients<T> backward(const Context<T>&, const Tensor<T>& dy) const {
    if (record == nullptr) return {dy, dy};
    ++record->backwards;
    record->grad_enabled = grad_enabled();
    if (record->fail) throw std::runtime_error("backward of the probe failed");
    if (record->silent) return Gradients<T>(2);
    if (record->misshapen) return {dy.view_as({-1, 1}), dy};
    return {dy, dy};
  }

  static std::vector<Sample<Probe>> samples() {
    return {{"vector", {}, {{Shape{3}}, {Shape{3}}}, "x[0] + x[1]"}};
  }
};

template <class T>
Tensor<T> probe(const Tensor<T>& a, const Tensor<T>& b, Record* record = nullptr) {
  return apply(Probe{record}, {a, b});
}

}  // namespace mien::test
