#pragma once
// What sum, mean, max and min share: which dimensions to reduce, and the reduction of values.

#include <vector>

#include <mien/core/index.hpp>
#include <mien/core/strided.hpp>
#include <mien/cpu/reduce.hpp>
#include <mien/ops/op.hpp>

namespace mien {

// The dimensions to reduce: negative ones count from the end, none given means all of them. With
// keepdim they stay in the result, with size 1:  sum(x, {.dims = {1, 2}, .keepdim = true}).
struct Over {
  Shape dims = {};
  bool keepdim = false;
};

// Whether dimension d of a tensor of that rank is reduced.
inline bool is_reduced(const Over& over, int d, int rank) {
  for (const std::int64_t dim : over.dims)
    if (dim == d || dim + rank == d) return true;
  return over.dims.rank() == 0;
}

// The shape of x with size 1 in the reduced dimensions.
inline Shape reduced_keepdim(const Shape& x, const Over& over, std::string_view where) {
  for (const std::int64_t dim : over.dims) wrap_dim(static_cast<int>(dim), x.rank(), where);
  Shape kept = x;
  int count = 0;
  for (int d = 0; d < x.rank(); ++d) {
    if (!is_reduced(over, d, x.rank())) continue;
    kept[d] = 1;
    ++count;
  }
  check(over.dims.rank() == 0 || over.dims.rank() == count, where, "a dimension is named twice in ",
        over.dims);
  return kept;
}

// The shape of the result.
inline Shape reduced_shape(const Shape& x, const Over& over, std::string_view where) {
  const Shape kept = reduced_keepdim(x, over, where);
  if (over.keepdim) return kept;
  Shape out;
  for (int d = 0; d < x.rank(); ++d)
    if (!is_reduced(over, d, x.rank())) out.push_back(x[d]);
  return out;
}

// Reduces the values of x over the dimensions in which `shape`, aligned at the last dimension, is 1
// or absent. The result is not rounded to T yet.
template <kernels::Reduction Kind, FloatElement T>
Tensor<Compute<T>> reduce_to(const Tensor<T>& x, const Shape& shape) {
  using C = Compute<T>;
  const Tensor<T> in = x.dense();
  const int lead = x.rank() - shape.rank();
  const auto reduced = [&](int d) { return d < lead || shape[d - lead] == 1; };
  Tensor<C> out;
  Shape sizes = x.shape();
  for (int last = x.rank() - 1; last >= 0; --last) {
    if (!reduced(last)) continue;
    int first = last;  // a run of adjacent dimensions goes in one pass
    while (first > 0 && reduced(first - 1)) --first;
    kernels::ReduceParams p;
    for (int d = 0; d < sizes.rank(); ++d)
      (d < first ? p.pre : d <= last ? p.mid : p.post) *= sizes[d];
    for (int d = first; d <= last; ++d) sizes[d] = 1;
    last = first;
    if (p.mid == 1) continue;
    const Tensor<C> result(sizes, x.device());
    with_device(x.device(), [&](auto device) {
      if (out.defined())
        kernels::reduce<Kind>(device, result.mutable_data(), out.data(), p);
      else
        kernels::reduce<Kind>(device, result.mutable_data(), in.data(), p);
    });
    out = result;
  }
  if (!out.defined()) out = in.template to<C>();
  return out.view_as(shape);
}

// Values computed in Compute<T>, rounded to T.
template <FloatElement T>
Tensor<T> rounded_to(const Tensor<Compute<T>>& x) {
  if constexpr (std::is_same_v<T, Compute<T>>)
    return x;
  else
    return x.template to<T>();
}

// The readable way: folds each element into its place of the result by f(so far, element).
template <class T, class F>
Tensor<T> reduce_reference(const Tensor<T>& x, const Shape& kept, Compute<T> start, F&& f) {
  Tensor<Compute<T>> y = Tensor<Compute<T>>::full(kept, start);
  const Shape steps = broadcast_strides(kept, y.strides(), x.shape());
  each_index(x.shape(), [&](const Shape& at) {
    Compute<T>& so_far = y.mutable_data()[offset_of(at, steps)];
    so_far = f(so_far, static_cast<Compute<T>>(x.data()[offset_of(at, x.strides())]));
  });
  return rounded_to<T>(y);
}

// Samples of a reduction whose name in torch is `torch`.
template <class Op>
std::vector<Sample<Op>> reduction_samples(std::string_view torch) {
  std::vector<Sample<Op>> cases;
  const auto add = [&](const char* label, const Shape& x, const Over& over, const char* dims) {
    cases.push_back({label, {over}, {{x}}, str("torch.", torch, "(x[0], ", dims, ")")});
  };
  add("all", {2, 3, 19}, {}, "dim=(0, 1, 2)");
  add("last", {5, 37}, {.dims = {-1}}, "dim=-1");
  add("pixels", {2, 3, 4, 37}, {.dims = {1, 2}}, "dim=(1, 2)");
  add("two_runs", {3, 4, 5, 6}, {.dims = {2, 0}, .keepdim = true}, "dim=(0, 2), keepdim=True");
  add("size_one", {3, 1, 5}, {.dims = {1}}, "dim=1");
  return cases;
}

}  // namespace mien
