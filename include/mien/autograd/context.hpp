#pragma once
// What a recorded op is given and gives back, and what it keeps in between. Parameters ("weights")
// are of the type that arithmetic is done in: float in a network of 16-bit activations.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <mien/autograd/grad_mode.hpp>
#include <mien/autograd/node.hpp>

namespace mien {

template <FloatElement T>
using Inputs = std::span<const Tensor<T>>;
template <FloatElement T>
using Weights = std::span<const Tensor<Compute<T>>>;

// One per input, in order; undefined where the input needs none.
template <FloatElement T>
using Gradients = std::vector<Tensor<T>>;
// Those of an op that takes weights.
template <FloatElement T>
struct WeightedGradients {
  Gradients<T> inputs;
  Gradients<Compute<T>> weights = {};
};

namespace autograd {

// A tensor kept for backward: its elements, or the node that computes them again when asked. Few
// nodes in a row may do so, as each calls the one before it.
template <FloatElement T>
class Saved {
 public:
  static constexpr int deepest = 4;

  explicit Saved(const Tensor<T>& x) {
    if (recompute_enabled()) node_ = node_of(x);
    if (depth() > 0 && depth() <= deepest) return;
    node_.reset();
    elements_ = x.detach();
  }

  // How many nodes in a row elements() runs.
  int depth() const { return node_ ? node_->recompute_depth() : 0; }

  const Tensor<T>& elements() const {
    if (node_ && !elements_.defined()) elements_ = node_->recompute();
    return elements_;
  }

 private:
  mutable Tensor<T> elements_;
  Ref<GradNode<T>> node_;
};

}  // namespace autograd

// What forward keeps for backward. Inputs are counted from 0, weights on from there.
template <class T>
class Context {
 public:
  Context() = default;
  Context(Inputs<T> in, Weights<T> weights) : recording_(true) {
    inputs_.reserve(in.size() + weights.size());
    for (const auto& x : in) inputs_.push_back({x.shape(), x.requires_grad()});
    for (const auto& w : weights) {
      inputs_.push_back({w.shape(), w.requires_grad()});
      weights_.push_back(w.dense().detach());
    }
  }

  bool recording() const { return recording_; }
  // Whether backward will be asked for the gradient of input i.
  bool needs(int i) const { return recording_ && inputs_[static_cast<std::size_t>(i)].needed; }

  // In backward: the number of inputs.
  int num_inputs() const { return static_cast<int>(inputs_.size()); }

  // In backward: the shape of input i, which need not be saved for it.
  const Shape& shape(int i) const { return inputs_[static_cast<std::size_t>(i)].shape; }

  // In backward: weight i, counted from 0; always kept.
  const Tensor<Compute<T>>& weight(int i) const { return weights_[static_cast<std::size_t>(i)]; }

  template <class... Tensors>
  void save(const Tensors&... tensors) {
    if (recording_) (saved_.emplace_back(tensors), ...);
  }
  // Tensor i of those saved.
  const Tensor<T>& saved(int i) const {
    check(i >= 0 && static_cast<std::size_t>(i) < saved_.size(), "context", "saved(", i, ") of ",
          saved_.size(), " saved tensors");
    return saved_[static_cast<std::size_t>(i)].elements();
  }

  // How many nodes in a row saved() may run.
  int recompute_depth() const {
    int deepest = 0;
    for (const auto& saved : saved_) deepest = std::max(deepest, saved.depth());
    return deepest;
  }

  void release() {
    saved_.clear();
    weights_.clear();
  }

 private:
  struct Input {
    Shape shape;
    bool needed;  // its gradient
  };
  bool recording_ = false;
  std::vector<Input> inputs_;
  std::vector<Tensor<Compute<T>>> weights_;
  std::vector<autograd::Saved<T>> saved_;
};

}  // namespace mien
