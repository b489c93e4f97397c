#pragma once
// Weights in the kernels' own layout, packed once: kept beside the weights' storage until these are
// written to. The layout is the same on every instruction set.

#include <mien/core/memory.hpp>
#include <mien/core/tensor.hpp>
#include <mien/cpu/gemm.hpp>

namespace mien::ops {

template <class C>
struct PackedWeights final : RefCounted {
  explicit PackedWeights(std::int64_t size) : values(Shape{size}) {}
  kernels::Packed<C> packed() const { return {values.data()}; }
  Tensor<C> values;
};

// An object whose address tells one kind of weights from another.
template <class Kind>
inline constexpr Type<Kind> packed_kind{};

// w must be dense. `layout` holds what the layout depends on beside the elements; `Kind` names it.
// pack(C* packed) is called where nothing is kept yet.
template <class Kind, class C, class Pack>
Ref<PackedWeights<C>> packed_weights(const Tensor<C>& w, const Shape& layout, std::int64_t size,
                                     Pack&& pack) {
  const Storage::DerivedKey key{&packed_kind<Kind>, w.offset(), layout};
  const auto made = w.storage()->derived(key, [&]() -> Ref<RefCounted> {
    auto weights = make_ref<PackedWeights<C>>(size);
    pack(weights->values.mutable_data());
    return weights;
  });
  return Ref<PackedWeights<C>>(static_cast<PackedWeights<C>*>(made.get()));
}

// Elements in the type that kernels compute with.
template <class T>
Tensor<Compute<T>> as_compute(const Tensor<T>& x) {
  if constexpr (std::is_same_v<T, Compute<T>>)
    return x;
  else
    return x.defined() ? x.template to<Compute<T>>() : Tensor<Compute<T>>();
}

}  // namespace mien::ops
