#pragma once
// Tensor<T>: a cheap reference-counted handle on typed storage with a run-time shape.

#include <cstring>
#include <initializer_list>
#include <span>
#include <utility>

#include <mien/core/device.hpp>
#include <mien/core/dtype.hpp>
#include <mien/core/memory.hpp>
#include <mien/core/shape.hpp>
#include <mien/core/strided.hpp>

namespace mien {

// Copying a Tensor copies the handle: both see the same elements. A default-constructed Tensor is
// undefined (no storage); it stands for an absent bias or a gradient nobody asked for.
//
// Elements are dense and row-major (images: n, h, w, c) unless the tensor is a strided view;
// is_contiguous() tells. Members here work on values only. What is differentiated is an op:
// mien::reshape(x, ...), mien::slice(x, ...), a + b, ...
template <Element T>
class Tensor {
 public:
  using value_type = T;

  Tensor() = default;

  // Uninitialised elements.
  explicit Tensor(const Shape& shape, Device device = {})
      : storage_(make_ref<Storage>(bytes_for(shape), device)),
        shape_(shape),
        strides_(dense_strides(shape)),
        numel_(shape.numel()) {}

  static Tensor full(const Shape& shape, T value, Device device = {}) {
    Tensor out(shape, device);
    T* p = out.mutable_data();
    for (std::int64_t i = 0; i < out.numel(); ++i) p[i] = value;
    return out;
  }
  static Tensor zeros(const Shape& shape, Device device = {}) { return full(shape, T{}, device); }
  static Tensor ones(const Shape& shape, Device device = {}) {
    return full(shape, static_cast<T>(1.0f), device);
  }
  // 0, 1, ..., n - 1.
  static Tensor arange(std::int64_t n) {
    Tensor out(Shape{n});
    T* p = out.mutable_data();
    for (std::int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(i);
    return out;
  }
  // A copy of `values` in row-major order; their number must match the shape.
  static Tensor from(const Shape& shape, std::span<const T> values) {
    Tensor out(shape);
    check(static_cast<std::int64_t>(values.size()) == out.numel(), "tensor", "shape ", shape,
          " takes ", out.numel(), " values, got ", values.size());
    if (!values.empty()) std::memcpy(out.mutable_data(), values.data(), values.size() * sizeof(T));
    return out;
  }
  static Tensor from(const Shape& shape, std::initializer_list<T> values) {
    return from(shape, std::span<const T>(values.begin(), values.size()));
  }
  static Tensor scalar(T value) { return full(Shape{}, value); }

  bool defined() const { return static_cast<bool>(storage_); }
  const Shape& shape() const { return shape_; }
  std::int64_t dim(int i) const { return shape_[i]; }
  int rank() const { return shape_.rank(); }
  std::int64_t numel() const { return numel_; }
  const Shape& strides() const { return strides_; }  // in elements
  Device device() const { return storage_ ? storage_->device() : Device{}; }

  bool is_contiguous() const {
    if (numel_ == 0) return true;
    std::int64_t step = 1;
    for (int i = rank() - 1; i >= 0; --i) {
      if (shape_[i] != 1 && strides_[i] != step) return false;
      step *= shape_[i];
    }
    return true;
  }

  // Read access to the first element. Null for an undefined tensor.
  const T* data() const {
    return storage_ ? static_cast<const T*>(std::as_const(*storage_).data()) + offset_ : nullptr;
  }
  // Write access: ends the validity of whatever was derived from the elements (packed weights).
  T* mutable_data() const {
    return storage_ ? static_cast<T*>(storage_->mutable_data()) + offset_ : nullptr;
  }

  // The element at an index: x(0, 3, 1).
  template <class... Indices>
  T operator()(Indices... indices) const {
    check(defined() && static_cast<int>(sizeof...(indices)) == rank(), "tensor", "index of ",
          sizeof...(indices), " numbers into ", defined() ? "shape " : "an undefined tensor ",
          shape_);
    std::int64_t at = 0;
    [[maybe_unused]] int dim = 0;
    ((at += step_to(dim++, static_cast<std::int64_t>(indices))), ...);
    return data()[at];
  }
  // The only element of a one-element tensor.
  T item() const {
    check(numel_ == 1, "tensor", "item() of a tensor of shape ", shape_);
    return *data();
  }

  // Another view of the same storage. `offset` counts elements from this tensor's first one; every
  // index of the result must lie inside the storage.
  Tensor as_strided(const Shape& shape, const Shape& strides, std::int64_t offset = 0) const {
    check(shape.rank() == strides.rank(), "as_strided", "shape ", shape, " with strides ", strides);
    Tensor view = detach();
    view.shape_ = shape;
    view.strides_ = strides;
    view.numel_ = shape.numel();
    if (view.numel_ == 0) return view;  // whatever the offset: nothing is read
    std::int64_t first = 0, last = 0, step = 0;
    bool overflow = __builtin_add_overflow(offset_, offset, &view.offset_);
    first = last = view.offset_;
    for (int i = 0; i < shape.rank(); ++i) {
      overflow |= __builtin_mul_overflow(shape[i] - 1, strides[i], &step);
      std::int64_t& end = strides[i] < 0 ? first : last;
      overflow |= __builtin_add_overflow(end, step, &end);
    }
    const auto elements = static_cast<std::int64_t>(storage_ ? storage_->bytes() / sizeof(T) : 0);
    check(!overflow && first >= 0 && last < elements, "as_strided", "shape ", shape,
          " with strides ", strides, " from element ", offset, " leaves a storage of ", elements,
          " elements");
    return view;
  }

  // The same elements under another shape; this tensor must be contiguous. One size may be -1.
  Tensor view_as(const Shape& shape) const {
    const Shape full = infer_shape(shape, shape_);
    check(is_contiguous(), "view_as", "a tensor with strides ", strides_, " has no dense view");
    return as_strided(full, dense_strides(full));
  }

  // A dense copy with storage of its own; no gradient flows.
  Tensor clone() const {
    if (!defined()) return {};
    Tensor out(shape_, device());
    copy_to(out.mutable_data());
    return out;
  }

  // This tensor if it is dense, else a dense copy without autograd edge.
  Tensor dense() const { return is_contiguous() ? *this : clone(); }

  // The elements in row-major order, written to `out`, converted.
  template <class U>
  void copy_to(U* out) const {
    if (numel_ > 0) strided_copy(out, dense_strides(shape_), data(), strides_, shape_);
  }

  // The elements as another type (static_cast); no gradient flows (mien::cast is the op).
  template <Element U>
  Tensor<U> to() const {
    if (!defined()) return {};
    Tensor<U> out(shape_, device());
    copy_to(out.mutable_data());
    return out;
  }

  // Copies the elements of `source`, of the same shape, into this tensor's, which may be a view.
  void copy_from(const Tensor& source) const {
    check(defined() && source.defined(), "copy_from", "an undefined tensor");
    check(source.shape() == shape_, "copy_from", "expected shape ", shape_, ", got ",
          source.shape());
    if (numel_ == 0) return;
    const Tensor apart = source.storage_ == storage_ ? source.clone() : source;  // may overlap
    strided_copy(mutable_data(), strides_, apart.data(), apart.strides_, shape_);
  }

  // The same elements without an autograd edge.
  Tensor detach() const {
    Tensor out = *this;
    out.edge_.reset();
    return out;
  }

  // Autograd, defined in autograd/node.hpp and autograd/engine.hpp.
  Tensor& set_requires_grad(bool on = true);
  bool requires_grad() const { return static_cast<bool>(edge_); }
  Tensor grad() const;     // gradient of a leaf; undefined before the first backward()
  void zero_grad() const;  // forgets the gradient of a leaf
  void backward(const Tensor& gradient = {}, bool retain_graph = false) const;

  // For autograd: the node that this tensor came from (null unless recorded), and the storage.
  const Ref<RefCounted>& edge() const { return edge_; }
  void set_edge(Ref<RefCounted> edge) { edge_ = std::move(edge); }
  Storage* storage() const { return storage_.get(); }
  std::int64_t offset() const { return offset_; }
  bool owns_storage_alone() const { return storage_ && storage_->use_count() == 1; }

  // Wraps an existing storage.
  static Tensor on(Ref<Storage> storage, const Shape& shape, std::int64_t offset = 0) {
    Tensor out;
    out.storage_ = std::move(storage);
    return out.as_strided(shape, dense_strides(shape), offset);
  }

 private:
  // Elements from the first to the index-th one in dimension d.
  std::int64_t step_to(int d, std::int64_t index) const {
    check(index >= 0 && index < shape_[d], "tensor", "index ", index, " in dimension ", d,
          " of shape ", shape_);
    return index * strides_[d];
  }

  static std::size_t bytes_for(const Shape& shape) {
    std::int64_t bytes = 0;
    check(!__builtin_mul_overflow(shape.numel(), static_cast<std::int64_t>(sizeof(T)), &bytes),
          "tensor", "too many elements in ", shape);
    return static_cast<std::size_t>(bytes);
  }

  Ref<Storage> storage_;
  std::int64_t offset_ = 0;  // of the first element in the storage
  Shape shape_, strides_;
  std::int64_t numel_ = 0;
  Ref<RefCounted> edge_;
};

}  // namespace mien
