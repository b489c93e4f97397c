#pragma once
// Host side of resizing float tensors (n, h, w, c) by nearest and bilinear sampling. Where to
// sample is computed once per axis, with PyTorch's arithmetic (aten/src/ATen/native/UpSample.h).
// Gradients gather over the outputs that read an input, which lie together, so that no two threads
// meet.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <mien/core/device.hpp>
#include <mien/core/dtype.hpp>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>

namespace mien::kernels {

// One axis: output o reads input low[o] with weight 1 - lambda[o], and low[o] + 1 with lambda[o],
// which is 0 where that is no input. Outputs [first[i], first[i + 1]) have low == i.
template <class C>
struct ResizeAxis {
  std::int64_t in, out;
  std::vector<std::int64_t> low, first;
  std::vector<C> lambda;

  // The outputs [begin, end) that read input i in bilinear sampling, and the weight of each.
  std::int64_t begin(std::int64_t i) const {
    return first[static_cast<std::size_t>(std::max<std::int64_t>(i - 1, 0))];
  }
  std::int64_t end(std::int64_t i) const { return first[static_cast<std::size_t>(i + 1)]; }
  C weight(std::int64_t o, std::int64_t i) const {
    const auto at = static_cast<std::size_t>(o);
    return low[at] == i ? 1 - lambda[at] : lambda[at];
  }

  // `low` from a rule for one output.
  template <class Rule>
  void sample(std::int64_t in_size, std::int64_t out_size, Rule&& rule) {
    in = in_size;
    out = out_size;
    first.assign(static_cast<std::size_t>(in) + 1, 0);
    for (std::int64_t o = 0; o < out; ++o) {
      low.push_back(rule(o));
      ++first[static_cast<std::size_t>(low.back()) + 1];
    }
    for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  }
};

// floor(o * in / out), in float as PyTorch has it for every type; exact for equal and doubled size.
inline ResizeAxis<float> nearest_axis(std::int64_t in, std::int64_t out) {
  ResizeAxis<float> axis;
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  axis.sample(in, out, [=](std::int64_t o) {
    if (out == in) return o;
    if (out == 2 * in) return o / 2;
    return std::min(in - 1, static_cast<std::int64_t>(std::floor(static_cast<float>(o) * scale)));
  });
  return axis;
}

// Sampling at scale * (o + 1/2) - 1/2, or at scale * o where the corners' centres are aligned.
template <class C>
ResizeAxis<C> linear_axis(std::int64_t in, std::int64_t out, bool align_corners) {
  const auto size = [](std::int64_t n) { return static_cast<C>(n); };
  const C scale = !align_corners ? size(in) / size(out)
                  : out > 1      ? size(in - 1) / size(out - 1)
                                 : C(0);
  ResizeAxis<C> axis;
  axis.sample(in, out, [&](std::int64_t o) {
    const C middle = align_corners ? scale * size(o) : scale * (size(o) + C(0.5)) - C(0.5);
    const C at = in == out ? size(o) : std::max(C(0), middle);
    const std::int64_t low = std::min(in - 1, static_cast<std::int64_t>(at));
    axis.lambda.push_back(low + 1 < in ? std::min(C(1), at - size(low)) : C(0));
    return low;
  });
  return axis;
}

// x (n, in_h, in_w, c), y (n, out_h, out_w, c).
template <class C>
struct ResizeParams {
  std::int64_t n, c;
  ResizeAxis<C> h, w;

  // Rows of `pixels` pixels that a thread takes at once.
  std::int64_t rows_at_once(std::int64_t pixels) const {
    return (std::int64_t{1} << 14) / std::max<std::int64_t>(1, pixels * c);
  }
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/resize_tensor.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// Each input pixel is copied to the outputs that read it: once per row, then whole rows.
template <class T>
void resize_nearest(Cpu, T* y, const T* x, const ResizeParams<float>& p) {
  const std::int64_t in_row = p.w.in * p.c, out_row = p.w.out * p.c;
  const auto copy_row = [&](T* to, const T* from) {
    for (std::size_t i = 0; i + 1 < p.w.first.size(); ++i, from += p.c)
      for (std::int64_t o = p.w.first[i]; o < p.w.first[i + 1]; ++o, to += p.c)
        std::copy_n(from, p.c, to);
  };
  parallel_for(p.n * p.h.in, p.rows_at_once(p.w.out), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto iy = static_cast<std::size_t>(row % p.h.in);
      const std::int64_t first = p.h.first[iy], last = p.h.first[iy + 1];
      T* image = y + row / p.h.in * p.h.out * out_row;
      if (first < last) copy_row(image + first * out_row, x + row * in_row);
      for (std::int64_t oy = first + 1; oy < last; ++oy)
        std::copy_n(image + first * out_row, out_row, image + oy * out_row);
    }
  });
}

template <class T>
void resize_nearest_grad(Cpu, T* dx, const T* dy, const ResizeParams<float>& p) {
  const auto kernel = MIEN_ISA_PICK(resize_nearest_grad_rows<T>);
  parallel_for(p.n * p.h.in, p.rows_at_once(p.w.out),
               [&](std::int64_t b, std::int64_t e) { kernel(dx, dy, b, e, p); });
}

template <class T>
void resize_bilinear(Cpu, T* y, const T* x, const ResizeParams<Compute<T>>& p) {
  const auto kernel = MIEN_ISA_PICK(resize_bilinear_rows<T>);
  parallel_for(p.n * p.h.out, p.rows_at_once(p.w.out),
               [&](std::int64_t b, std::int64_t e) { kernel(y, x, b, e, p); });
}

template <class T>
void resize_bilinear_grad(Cpu, T* dx, const T* dy, const ResizeParams<Compute<T>>& p) {
  const auto kernel = MIEN_ISA_PICK(resize_bilinear_grad_rows<T>);
  parallel_for(p.n * p.h.in, p.rows_at_once(p.w.in),
               [&](std::int64_t b, std::int64_t e) { kernel(dx, dy, b, e, p); });
}

}  // namespace mien::kernels
