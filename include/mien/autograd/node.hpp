#pragma once
// Nodes of the recorded graph. Each recorded op is one node with one output; an edge runs from the
// output's Tensor to its node, and from the node to the nodes of its inputs.

#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>

namespace mien::autograd {

// What the engine sees of a node: types are erased here, once per op.
class Node : public RefCounted {
 public:
  explicit Node(std::string_view name) : name_(name) {}
  ~Node() override { release_inputs(); }

  std::string_view name() const { return name_; }
  const std::vector<Ref<Node>>& inputs() const { return inputs_; }

  // Hands the gradient collected so far on to the inputs. Without `retain`, what forward saved is
  // freed, and the graph behind this node cannot be walked again.
  virtual void propagate(bool retain) = 0;

  // Drops the gradient collected so far.
  virtual void forget_gradient() = 0;

 protected:
  void set_inputs(std::vector<Ref<Node>> inputs) { inputs_ = std::move(inputs); }

  // A node that was walked without `retain` has no inputs any more.
  void check_not_freed() const {
    check(!inputs_.empty(), "backward", "the graph of '", name_,
          "' was freed by an earlier backward(); pass retain_graph to walk it twice");
  }

  // Frees the graph behind this node without recursion: a graph may be deeper than the stack.
  void release_inputs() {
    std::vector<Ref<Node>> dying = std::move(inputs_);
    inputs_.clear();
    while (!dying.empty()) {
      const Ref<Node> node = std::move(dying.back());
      dying.pop_back();
      if (!node || node->use_count() != 1) continue;
      for (auto& input : node->inputs_) dying.push_back(std::move(input));
      node->inputs_.clear();
    }
  }

 private:
  friend class Engine;
  std::string_view name_;
  std::vector<Ref<Node>> inputs_;  // null where an input has no gradient
  int pending_ = 0;                // engine: consumers whose gradient has not come yet
};

// y += x over dense tensors of one shape.
template <FloatElement T>
void add_into(const Tensor<T>& y, const Tensor<T>& x) {
  check(y.shape() == x.shape(), "backward", "gradient of shape ", x.shape(),
        " for a tensor of shape ", y.shape());
  T* out = y.mutable_data();
  const Tensor<T> dense = x.dense();
  const T* in = dense.data();
  parallel_for(y.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      out[i] = static_cast<T>(static_cast<Compute<T>>(out[i]) + static_cast<Compute<T>>(in[i]));
  });
}

// A node whose output is a Tensor<T>: collects that tensor's gradient.
template <FloatElement T>
class GradNode : public Node {
 public:
  using Node::Node;

  void accumulate(Tensor<T> gradient) {
    if (!gradient_.defined())
      gradient_ = std::move(gradient);
    else if (gradient_.owns_storage_alone() && gradient_.is_contiguous())
      add_into(gradient_, gradient);
    else {  // somebody else may hold these elements
      gradient_ = gradient_.clone();
      add_into(gradient_, gradient);
    }
  }

  void forget_gradient() override { gradient_ = {}; }

  // The output once more, until the graph is freed. The depth is how many nodes in a row that
  // would run; 0 where it cannot be had.
  virtual int recompute_depth() const { return 0; }
  virtual Tensor<T> recompute() const { return {}; }

 protected:
  Tensor<T> gradient_;
};

// The node of a tensor that set_requires_grad() was called on: keeps the gradient until
// zero_grad().
template <FloatElement T>
class LeafNode final : public GradNode<T> {
 public:
  LeafNode() : GradNode<T>("leaf") {}

  // The gradient must be this leaf's own: a later backward() adds into it.
  void propagate(bool) override {
    if (!this->gradient_.defined()) return;
    if (total_.defined()) {
      add_into(total_, this->gradient_);
    } else if (home_.defined()) {
      home_.copy_from(this->gradient_);
      total_ = home_;
    } else {
      const bool own = this->gradient_.owns_storage_alone() && this->gradient_.is_contiguous();
      total_ = own ? std::move(this->gradient_) : this->gradient_.clone();
    }
    this->gradient_ = {};
  }

  const Tensor<T>& gradient() const { return total_; }
  void set_gradient(Tensor<T> gradient) { total_ = std::move(gradient); }

  // From now on the gradient is kept in the elements of `home`, of the leaf's shape.
  void set_home(Tensor<T> home) {
    if (total_.defined()) {
      home.copy_from(total_);
      total_ = home;
    }
    home_ = std::move(home);
  }

 private:
  Tensor<T> total_, home_;
};

template <FloatElement T>
Ref<GradNode<T>> node_of(const Tensor<T>& tensor) {
  return Ref<GradNode<T>>(static_cast<GradNode<T>*>(static_cast<Node*>(tensor.edge().get())));
}

}  // namespace mien::autograd
