#pragma once
// backward(): walks the recorded graph from its root, each node after all of its consumers.

#include <vector>

#include <mien/autograd/node.hpp>

namespace mien {

namespace autograd {

// A graph is walked by one thread at a time; graphs that share no node, leaves included, may be
// walked at once.
class Engine {
 public:
  // Where a node throws, the gradients still on their way are dropped, so that the nodes can take
  // part in another walk; leaves keep what has reached them.
  static void run(const Ref<Node>& root, bool retain) {
    std::vector<Ref<Node>> ready{root};
    try {
      count_consumers(root);
      while (!ready.empty()) {
        const Ref<Node> node = ready.back();
        const std::vector<Ref<Node>> inputs = node->inputs();
        node->propagate(retain);
        ready.pop_back();
        for (const auto& input : inputs)
          if (input && --input->pending_ == 0) ready.push_back(input);
      }
    } catch (...) {
      abandon(std::move(ready));
      throw;
    }
  }

 private:
  static void count_consumers(const Ref<Node>& root) {
    std::vector<Node*> stack{root.get()};
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      for (const auto& input : node->inputs())
        if (input && input->pending_++ == 0) stack.push_back(input.get());
    }
  }

  // Cleans these nodes and all behind them that wait for consumers.
  static void abandon(std::vector<Ref<Node>> nodes) {
    while (!nodes.empty()) {
      const Ref<Node> node = std::move(nodes.back());
      nodes.pop_back();
      node->forget_gradient();
      for (const auto& input : node->inputs())
        if (input && std::exchange(input->pending_, 0) > 0) nodes.push_back(input);
    }
  }
};

template <FloatElement T>
LeafNode<T>* leaf_of(const Tensor<T>& tensor) {
  return dynamic_cast<LeafNode<T>*>(tensor.edge().get());
}

}  // namespace autograd

// Marks a leaf (a parameter) as wanting a gradient, or not. Later copies of the handle share the
// mark and the gradient.
template <Element T>
Tensor<T>& Tensor<T>::set_requires_grad(bool on) {
  check(!edge_ || autograd::leaf_of(*this) != nullptr, "set_requires_grad",
        "only for leaves; this tensor is the result of an op (use detach())");
  check(!on || defined(), "set_requires_grad", "the tensor is undefined");
  if (!on)
    edge_.reset();
  else if (!edge_)
    edge_ = make_ref<autograd::LeafNode<T>>();
  return *this;
}

template <Element T>
Tensor<T> Tensor<T>::grad() const {
  const auto* leaf = autograd::leaf_of(*this);
  return leaf != nullptr ? leaf->gradient() : Tensor<T>();
}

template <Element T>
void Tensor<T>::zero_grad() const {
  if (auto* leaf = autograd::leaf_of(*this)) leaf->set_gradient({});
}

// Adds d(this)/d(leaf) * gradient to every leaf that this tensor was computed from. `gradient` may
// be left out for one-element tensors (then 1). The graph is freed unless retain_graph. Elements
// that backward needs must not have been written to since forward.
template <Element T>
void Tensor<T>::backward(const Tensor& gradient, bool retain_graph) const {
  check(requires_grad(), "backward", "the tensor does not depend on any tensor that requires grad");
  check(gradient.defined() || numel_ == 1, "backward",
        "a gradient is needed for a tensor of shape ", shape_);
  const Tensor seed = gradient.defined() ? gradient.detach() : Tensor::ones(shape_, device());
  check(seed.shape() == shape_, "backward", "expected a gradient of shape ", shape_, ", got ",
        seed.shape());
  const auto node = autograd::node_of(*this);
  node->accumulate(seed);
  autograd::Engine::run(Ref<autograd::Node>(node), retain_graph);
}

}  // namespace mien
