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

#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/autograd/engine.hpp>
#include <mien/autograd/grad_mode.hpp>

namespace mien {

template <class T>
using Inputs = std::span<const Tensor<T>>;

// One per input, in order; undefined where the input needs none.
template <class T>
using Gradients = std::vector<Tensor<T>>;

// What forward keeps for backward.
template <class T>
class Context {
 public:
  Context() = default;
  explicit Context(Inputs<T> in) : recording_(true) {
    inputs_.reserve(in.size());
    for (const auto& x : in) inputs_.push_back({x.shape(), x.requires_grad()});
  }

  bool recording() const { return recording_; }
  // Whether backward will be asked for the gradient of input i.
  bool needs(int i) const { return recording_ && inputs_[static_cast<std::size_t>(i)].needed; }

  // In backward: the number of inputs.
  int num_inputs() const { return static_cast<int>(inputs_.size()); }

  // In backward: the shape of input i, which need not be saved for it.
  const Shape& shape(int i) const { return inputs_[static_cast<std::size_t>(i)].shape; }

  template <class... Tensors>
  void save(const Tensors&... tensors) {
    if (recording_) (saved_.push_back(tensors.detach()), ...);
  }
  // Tensor i of those saved.
  const Tensor<T>& saved(int i) const {
    check(i >= 0 && static_cast<std::size_t>(i) < saved_.size(), "context", "saved(", i, ") of ",
          saved_.size(), " saved tensors");
    return saved_[static_cast<std::size_t>(i)];
  }

  void release() { saved_.clear(); }

 private:
  struct Input {
    Shape shape;
    bool needed;  // its gradient
  };
  bool recording_ = false;
  std::vector<Input> inputs_;
  std::vector<Tensor<T>> saved_;
};

// Random input of a sample: uniform in [low, high]; absent = an optional input left out.
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
template <class Op, class T>
concept HasReference = requires(const Op op, Inputs<T> in) {
  { op.reference(in) } -> std::same_as<Tensor<T>>;
};
template <class Op, class T>
concept HasForward = requires(Op op, Context<T> ctx, Inputs<T> in) {
  { op.forward(ctx, in) } -> std::same_as<Tensor<T>>;
};
template <class Op, class T>
concept HasBackward = requires(const Op op, const Context<T> ctx, const Tensor<T> dy) {
  { op.backward(ctx, dy) } -> std::same_as<Gradients<T>>;
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
  OpNodeBase(std::string_view name, Inputs<T> in) : GradNode<T>(name), context_(in) {
    std::vector<Ref<Node>> nodes;
    nodes.reserve(in.size());
    for (const auto& x : in) nodes.emplace_back(node_of(x));
    this->set_inputs(std::move(nodes));
  }

  void propagate(bool retain) final {
    this->check_not_freed();
    if (this->gradient_.defined()) {
      const NoGrad no_grad;
      const Tensor<T> dy = std::exchange(this->gradient_, {}).dense();
      hand_on(backward(dy));
    }
    if (retain) return;
    context_.release();
    this->release_inputs();
  }

 protected:
  virtual Gradients<T> backward(const Tensor<T>& dy) const = 0;

  Context<T> context_;

 private:
  void hand_on(Gradients<T> gradients) {
    check(gradients.size() == this->inputs().size(), this->name(), "backward gave ",
          gradients.size(), " gradients for ", this->inputs().size(), " inputs");
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const int input = static_cast<int>(i);
      if (!context_.needs(input) || !gradients[i].defined()) continue;
      check(gradients[i].shape() == context_.shape(input), this->name(), "backward gave shape ",
            gradients[i].shape(), " for input ", i, " of shape ", context_.shape(input));
      static_cast<GradNode<T>*>(this->inputs()[i].get())->accumulate(std::move(gradients[i]));
    }
  }
};

template <class Op, FloatElement T>
class OpNode final : public OpNodeBase<T> {
 public:
  OpNode(Op op, Inputs<T> in) : OpNodeBase<T>(Op::name, in), op_(std::move(op)) {}

  Op& op() { return op_; }
  Context<T>& context() { return this->context_; }

 private:
  Gradients<T> backward(const Tensor<T>& dy) const override {
    return op_.backward(this->context_, dy);
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
  bool recorded = false;

  CheckedInputs(std::string_view name, Inputs<T> inputs, std::size_t required, bool strided) {
    shapes.reserve(inputs.size());
    values.reserve(inputs.size());
    for (const auto& x : inputs) {
      const bool must_be = shapes.size() < required;
      check(must_be ? x.defined() : !x.defined() || x.rank() > 0, name, "input ", shapes.size(),
            must_be ? " is an undefined tensor" : " has no dimensions");
      shapes.push_back(x.shape());
      values.push_back(strided ? x : x.dense());
      recorded = recorded || x.requires_grad();
    }
    recorded = recorded && grad_enabled();
  }
};

}  // namespace detail

// Runs an op on its inputs and records it where gradients are wanted.
template <class Op, FloatElement T>
requires Operation<Op, T> Tensor<T> apply(Op op, Inputs<T> inputs) {
  const detail::CheckedInputs<T> in(Op::name, inputs, required_inputs<Op>, accepts_strides<Op>);
  const Shape expected = op.shape(in.shapes);
  Ref<autograd::OpNode<Op, T>> node;
  if (in.recorded) node = make_ref<autograd::OpNode<Op, T>>(std::move(op), inputs);
  Context<T> unrecorded;
  const auto forward = [&] {
    const NoGrad no_grad;
    return (node ? node->op() : op)
        .forward(node ? node->context() : unrecorded, Inputs<T>(in.values));
  };
  Tensor<T> out = forward().detach();
  if (node) out.set_edge(node);
  check(out.shape() == expected, Op::name, "forward gave shape ", out.shape(), ", its shape rule ",
        expected);
  return out;
}

template <class Op, FloatElement T>
requires Operation<Op, T> Tensor<T> apply(Op op, std::initializer_list<Tensor<T>> inputs) {
  return apply(std::move(op), Inputs<T>(inputs.begin(), inputs.size()));
}

}  // namespace mien
