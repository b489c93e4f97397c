#pragma once
// AnyTensor: a dense CPU tensor whose element type is known at run time only, as read from files.

#include <cstddef>
#include <utility>

#include <mien/core/tensor.hpp>

namespace mien {

class AnyTensor {
 public:
  AnyTensor() = default;

  // Uninitialised elements.
  AnyTensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
    std::int64_t bytes = 0;
    check(!__builtin_mul_overflow(shape.numel(), static_cast<std::int64_t>(size_of(dtype)), &bytes),
          "tensor", "too many elements in ", shape);
    storage_ = make_ref<Storage>(static_cast<std::size_t>(bytes));
  }

  // A dense copy. Undefined for an undefined tensor.
  template <Element T>
  AnyTensor(const Tensor<T>& tensor) {
    if (!tensor.defined()) return;
    *this = AnyTensor(dtype_of<T>, tensor.shape());
    tensor.copy_to(static_cast<T*>(storage_->mutable_data()));
  }

  bool defined() const { return static_cast<bool>(storage_); }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::int64_t numel() const { return defined() ? shape_.numel() : 0; }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype_); }

  const std::byte* bytes() const {
    return storage_ ? static_cast<const std::byte*>(std::as_const(*storage_).data()) : nullptr;
  }
  std::byte* bytes() {
    return storage_ ? static_cast<std::byte*>(storage_->mutable_data()) : nullptr;
  }

  // The same storage as Tensor<T>; T must be the element type.
  template <Element T>
  Tensor<T> get() const {
    check(defined() && dtype_of<T> == dtype_, "tensor", "expected ", dtype_of<T>, ", got ",
          defined() ? to_string(dtype_) : "an undefined tensor");
    return Tensor<T>::on(storage_, shape_);
  }

  // The elements converted to T (shares the storage where T is the element type already).
  template <Element T>
  Tensor<T> as() const {
    return with_dtype(dtype_, [&](auto t) -> Tensor<T> {
      using S = typename decltype(t)::type;
      if constexpr (std::is_same_v<S, T>)
        return get<T>();
      else
        return get<S>().template to<T>();
    });
  }

 private:
  DType dtype_ = DType::f32;
  Shape shape_;
  Ref<Storage> storage_;
};

}  // namespace mien
