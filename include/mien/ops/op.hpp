#pragma once
// What an op is, and apply(), which runs one and records it.
//
// An op is a plain struct of attributes with these members (docs/adding_an_op.md has a template):
//
//   static constexpr std::string_view name;
//   Shape shape(std::span<const Shape> in) const;       checks the shapes, gives the output's
//   Tensor<T> forward(Context<T>& ctx, Inputs<T> in);   may save() tensors for backward
//   Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const;
//
// and, for the tests and benchmarks that every op of mien goes through,
//
//   Tensor<T> reference(Inputs<T> in) const;            readable, slow
//   static std::vector<Sample<Op>> samples();           inputs
//
// T is any FloatElement; an op may support some of them only. Every op has one output. Inputs and
// dy arrive dense unless the op sets `accepts_strides`, which is for inputs. An optional input that
// is absent is an undefined tensor, with a Shape of rank 0. Nothing in forward or backward is
// recorded.
//
// Parameters of 16-bit networks are float, as arithmetic is. An op that takes parameters says from
// which input on they are such weights, and has instead
//
//   static constexpr std::size_t first_weight = 1;
//   Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights);
//   WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const;
//   Tensor<T> reference(Inputs<T> in, Weights<T> weights) const;
//
// An op whose output costs little beside what it keeps may have
//
//   Tensor<T> recompute(const Context<T>& ctx) const;   forward's output again, bit for bit
//
// which an op behind it calls in backward instead of keeping that output.

#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mien/autograd/context.hpp>
#include <mien/autograd/engine.hpp>
#include <mien/autograd/grad_mode.hpp>

namespace mien {

// Random input (or weight) of a sample: uniform in [low, high]; absent = an optional one left out.
struct SampleInput {
  Shape shape;
  double low = -2, high = 2;
  bool absent = false;
};

// A case that an op is tested and benchmarked with. `torch` is the same computation in Python, with
// the inputs as x[0], x[1], ... in mien's layouts, and nchw(), nhwc(), oihw() at hand
// (tests/golden/ops/make_ops.py).
template <class Op>
struct Sample {
  std::string name;
  Op op;
  std::vector<SampleInput> inputs;
  std::string torch;
};

template <class Op>
concept HasName = requires {
  { Op::name } -> std::convertible_to<std::string_view>;
};
template <class Op>
concept HasShapeRule = requires(const Op op, std::span<const Shape> in) {
  { op.shape(in) } -> std::same_as<Shape>;
};
template <class Op>
concept TakesWeights = requires {
  Op::first_weight;
};

template <class Op, class T>
concept HasReference = (TakesWeights<Op> &&
                        requires(const Op op, Inputs<T> in, Weights<T> weights) {
                          { op.reference(in, weights) } -> std::same_as<Tensor<T>>;
                        }) ||
                       (!TakesWeights<Op> && requires(const Op op, Inputs<T> in) {
                         { op.reference(in) } -> std::same_as<Tensor<T>>;
                       });
template <class Op, class T>
concept HasForward = (TakesWeights<Op> &&
                      requires(Op op, Context<T> ctx, Inputs<T> in, Weights<T> weights) {
                        { op.forward(ctx, in, weights) } -> std::same_as<Tensor<T>>;
                      }) ||
                     (!TakesWeights<Op> && requires(Op op, Context<T> ctx, Inputs<T> in) {
                       { op.forward(ctx, in) } -> std::same_as<Tensor<T>>;
                     });
template <class Op, class T>
using GradientsOf = std::conditional_t<TakesWeights<Op>, WeightedGradients<T>, Gradients<T>>;
template <class Op, class T>
concept HasBackward = requires(const Op op, const Context<T> ctx, const Tensor<T> dy) {
  { op.backward(ctx, dy) } -> std::same_as<GradientsOf<Op, T>>;
};
template <class Op, class T>
concept HasRecompute = requires(const Op op, const Context<T> ctx) {
  { op.recompute(ctx) } -> std::same_as<Tensor<T>>;
};
template <class Op>
concept HasSamples = requires {
  { Op::samples() } -> std::same_as<std::vector<Sample<Op>>>;
};

// Separate concepts, so that the compiler names the part that is missing.
template <class Op, class T>
concept Operation = HasName<Op> && HasShapeRule<Op> && HasForward<Op, T> && HasBackward<Op, T>;

// With what tests and benchmarks need.
template <class Op, class T>
concept TestedOperation = Operation<Op, T> && HasReference<Op, T> && HasSamples<Op>;

namespace autograd {

// What recorded ops have in common whatever the op: kept apart from it, and compiled once.
template <FloatElement T>
class OpNodeBase : public GradNode<T> {
 public:
  OpNodeBase(std::string_view name, Inputs<T> in, Weights<T> weights)
      : GradNode<T>(name), context_(in, weights) {
    std::vector<Ref<Node>> nodes;
    nodes.reserve(in.size() + weights.size());
    for (const auto& x : in) nodes.emplace_back(node_of(x));
    for (const auto& w : weights) nodes.emplace_back(node_of(w));
    this->set_inputs(std::move(nodes));
  }

  void propagate(bool retain) final {
    this->check_not_freed();
    if (this->gradient_.defined()) {
      const NoGrad no_grad;
      const Tensor<T> dy = std::exchange(this->gradient_, {}).dense();
      WeightedGradients<T> gradients = backward(dy);
      const std::size_t inputs = gradients.inputs.size(), all = inputs + gradients.weights.size();
      check(all == this->inputs().size(), this->name(), "backward gave ", all, " gradients for ",
            this->inputs().size(), " inputs");
      hand_on(std::move(gradients.inputs), 0);
      hand_on(std::move(gradients.weights), inputs);
    }
    if (retain) return;
    context_.release();
    this->release_inputs();
  }

 protected:
  virtual WeightedGradients<T> backward(const Tensor<T>& dy) const = 0;

  Context<T> context_;

 private:
  // To the inputs from `first` on, whose elements are of type S.
  template <class S>
  void hand_on(Gradients<S> gradients, std::size_t first) {
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const int input = static_cast<int>(first + i);
      if (!context_.needs(input) || !gradients[i].defined()) continue;
      check(gradients[i].shape() == context_.shape(input), this->name(), "backward gave shape ",
            gradients[i].shape(), " for input ", input, " of shape ", context_.shape(input));
      static_cast<GradNode<S>*>(this->inputs()[first + i].get())
          ->accumulate(std::move(gradients[i]));
    }
  }
};

template <class Op, FloatElement T>
class OpNode final : public OpNodeBase<T> {
 public:
  OpNode(Op op, Inputs<T> in, Weights<T> weights)
      : OpNodeBase<T>(Op::name, in, weights), op_(std::move(op)) {}

  Op& op() { return op_; }
  Context<T>& context() { return this->context_; }

  int recompute_depth() const override {
    return HasRecompute<Op, T> ? 1 + this->context_.recompute_depth() : 0;
  }
  Tensor<T> recompute() const override {
    if constexpr (HasRecompute<Op, T>)
      return op_.recompute(this->context_);
    else
      return {};
  }

 private:
  WeightedGradients<T> backward(const Tensor<T>& dy) const override {
    if constexpr (TakesWeights<Op>)
      return op_.backward(this->context_, dy);
    else
      return {op_.backward(this->context_, dy)};
  }

  Op op_;
};

}  // namespace autograd

template <class Op>
inline constexpr bool accepts_strides = requires {
  requires Op::accepts_strides;
};

// How many inputs an op must be given; those from there on may be left out (undefined), and its
// shape rule then sees a shape of rank 0, which is therefore no shape for one that is given.
template <class Op>
inline constexpr std::size_t required_inputs = [] {
  if constexpr (requires { Op::required_inputs; })
    return Op::required_inputs;
  else
    return std::numeric_limits<std::size_t>::max();
}();

namespace detail {

// The inputs of a call as shape rule and forward see them.
template <class T>
struct CheckedInputs {
  std::vector<Shape> shapes;
  std::vector<Tensor<T>> values;
  std::vector<Tensor<Compute<T>>> weights;
  bool recorded = false;

  CheckedInputs(std::string_view name, Inputs<T> in, Weights<T> in_weights, std::size_t required,
                bool strided) {
    const auto add = [&](const auto& x) {
      const bool must_be = shapes.size() < required;
      check(must_be ? x.defined() : !x.defined() || x.rank() > 0, name, "input ", shapes.size(),
            must_be ? " is an undefined tensor" : " has no dimensions");
      shapes.push_back(x.shape());
      recorded = recorded || x.requires_grad();
    };
    shapes.reserve(in.size() + in_weights.size());
    values.reserve(in.size());
    for (const auto& x : in) {
      add(x);
      values.push_back(strided ? x : x.dense());
    }
    weights.reserve(in_weights.size());
    for (const auto& w : in_weights) {
      add(w);
      weights.push_back(w.dense());
    }
    recorded = recorded && grad_enabled();
  }
};

}  // namespace detail

// Runs an op on its inputs and records it where gradients are wanted.
template <class Op, FloatElement T>
requires Operation<Op, T> Tensor<T> apply(Op op, Inputs<T> inputs, Weights<T> weights = {}) {
  const detail::CheckedInputs<T> in(Op::name, inputs, weights, required_inputs<Op>,
                                    accepts_strides<Op>);
  const Shape expected = op.shape(in.shapes);
  Ref<autograd::OpNode<Op, T>> node;
  if (in.recorded) node = make_ref<autograd::OpNode<Op, T>>(std::move(op), inputs, weights);
  Context<T> unrecorded;
  const auto forward = [&](Op& run, Context<T>& ctx) {
    const NoGrad no_grad;
    if constexpr (TakesWeights<Op>)
      return run.forward(ctx, Inputs<T>(in.values), Weights<T>(in.weights));
    else
      return run.forward(ctx, Inputs<T>(in.values));
  };
  Tensor<T> out = (node ? forward(node->op(), node->context()) : forward(op, unrecorded)).detach();
  if (node) out.set_edge(node);
  check(out.shape() == expected, Op::name, "forward gave shape ", out.shape(), ", its shape rule ",
        expected);
  return out;
}

template <class Op, FloatElement T>
requires Operation<Op, T> Tensor<T> apply(Op op, std::initializer_list<Tensor<T>> inputs,
                                          std::initializer_list<Tensor<Compute<T>>> weights = {}) {
  return apply(std::move(op), Inputs<T>(inputs.begin(), inputs.size()),
               Weights<T>(weights.begin(), weights.size()));
}

}  // namespace mien
