#pragma once
// The border of a reflection-padded array, filled from its interior, and the adjoint.

#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/core/strided.hpp>

namespace mien::kernels {

struct MirrorParams {
  Shape shape, before, after;  // of the padded array, dense; its border per dimension
};

namespace detail {

// Elements of the border and their images in the interior, both as strided parts of the array.
struct Reflection {
  Shape shape, border_strides, image_strides;
  std::int64_t border, image;  // offsets
};

// The border before the interior in dimension d, or after it. In the dimensions before d the whole
// extent takes part, in those behind d the interior only: filled in the order of d, each reflection
// reads what is there already.
inline Reflection reflection(const MirrorParams& p, int d, bool front) {
  const Shape strides = dense_strides(p.shape);
  const std::int64_t first = p.before[d], last = p.shape[d] - p.after[d] - 1;
  Reflection r{p.shape, strides, strides, 0, 0};
  for (int k = d + 1; k < p.shape.rank(); ++k) {
    r.shape[k] -= p.before[k] + p.after[k];
    r.border += p.before[k] * strides[k];
  }
  r.image = r.border;
  r.shape[d] = front ? p.before[d] : p.after[d];
  (front ? r.border_strides : r.image_strides)[d] = -strides[d];
  r.border += (front ? first - 1 : last + 1) * strides[d];
  r.image += (front ? first + 1 : last - 1) * strides[d];
  return r;
}

}  // namespace detail

// Fills the border of x, whose interior is set.
template <class T>
void mirror(Cpu, T* x, const MirrorParams& p) {
  for (int d = 0; d < p.shape.rank(); ++d)
    for (const bool front : {true, false}) {
      const auto r = detail::reflection(p, d, front);
      strided_copy(x + r.border, r.border_strides, x + r.image, r.image_strides, r.shape);
    }
}

// Adds the border of dx into its interior. The border is spent.
template <class T>
void mirror_grad(Cpu, T* dx, const MirrorParams& p) {
  for (int d = p.shape.rank() - 1; d >= 0; --d)
    for (const bool front : {false, true}) {
      const auto r = detail::reflection(p, d, front);
      const StridedRows<2> rows(r.shape, {r.border_strides, r.image_strides});
      const auto [border_step, image_step] = rows.steps();
      rows.each([&, from = border_step, to = image_step](const auto& at, std::int64_t n) {
        const T* border = dx + r.border + at[0];
        T* image = dx + r.image + at[1];
        for (std::int64_t i = 0; i < n; ++i) image[i * to] += border[i * from];
      });
    }
}

}  // namespace mien::kernels
