#pragma once
// y = x as another element type. The gradient comes back as the type of x. No struct of attributes
// as other ops have: input and output of an op are of one type.

#include <utility>

#include <mien/autograd/grad_mode.hpp>
#include <mien/autograd/node.hpp>

namespace mien {

namespace autograd {

template <FloatElement From, FloatElement To>
class CastNode final : public GradNode<To> {
 public:
  explicit CastNode(const Tensor<From>& x) : GradNode<To>("cast") {
    this->set_inputs({Ref<Node>(node_of(x))});
  }

  void propagate(bool retain) override {
    this->check_not_freed();
    if (this->gradient_.defined()) {
      const Tensor<To> dy = std::exchange(this->gradient_, {});
      static_cast<GradNode<From>*>(this->inputs()[0].get())->accumulate(dy.template to<From>());
    }
    if (!retain) this->release_inputs();
  }
};

}  // namespace autograd

// x with its elements converted to U (rounded to nearest between float types, as static_cast
// otherwise); x itself where U is its type. Gradients flow between float types.
template <Element U, Element T>
Tensor<U> cast(const Tensor<T>& x) {
  if constexpr (std::is_same_v<T, U>) {
    return x;
  } else {
    Tensor<U> y = x.template to<U>();
    if constexpr (FloatElement<T> && FloatElement<U>)
      if (x.requires_grad() && grad_enabled()) y.set_edge(make_ref<autograd::CastNode<T, U>>(x));
    return y;
  }
}

}  // namespace mien
