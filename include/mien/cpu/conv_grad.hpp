#pragma once
// Gradients of a convolution. That of the data is itself a convolution, of dy
// by the weights turned around, with stride 1. Where the forward stride is s,
// the rows (and columns) of dx that leave the same remainder by s see every
// s-th kernel element only; each such phase is a convolution of its own.

#include <mien/cpu/conv.hpp>
#include <mien/cpu/conv_weight_grad.hpp>

namespace mien::kernels {

namespace conv_detail {

// One dimension of a phase of dx: positions first, first + stride, ... (`count`
// of them) see kernel elements tap, tap + tap_step, ... (`taps` of them), as a
// convolution of dy with this dilation and padding.
struct Phase {
  std::int64_t first, count, tap = 0, tap_step = 1, taps = 0, dilation = 1, pad = 0;

  Phase(std::int64_t remainder, std::int64_t size, std::int64_t kernel, std::int64_t stride,
        std::int64_t dilation_of_forward, std::int64_t forward_pad)
      : first(((remainder - forward_pad) % stride + stride) % stride),
        count(first < size ? (size - 1 - first) / stride + 1 : 0) {
    const auto lands = [&](std::int64_t t, std::int64_t on) {
      return t * dilation_of_forward % stride == on;
    };
    while (!lands(tap_step, 0)) ++tap_step;
    while (tap < tap_step && !lands(tap, remainder)) ++tap;
    if (tap == tap_step || tap >= kernel) return;
    taps = (kernel - 1 - tap) / tap_step + 1;
    dilation = tap_step * dilation_of_forward / stride;
    const std::int64_t first_of_dy =
        (first + forward_pad - tap * dilation_of_forward) / stride - (taps - 1) * dilation;
    pad = -first_of_dy;
  }
};

// Weights of a phase as those of a forward convolution from dy to dx: elements
// in reverse order, input and output channels exchanged, packed.
template <class C>
void pack_phase(C* packed, const C* w, const Conv2dParams& p, const Phase& rows,
                const Phase& columns) {
  const std::int64_t group_c = p.c / p.groups, group_out = p.out_c / p.groups;
  const std::int64_t k = rows.taps * columns.taps * group_out;
  for (std::int64_t g = 0; g < p.groups; ++g)
    for (std::int64_t i = 0; i < rows.taps * columns.taps; ++i) {
      const std::int64_t u = rows.tap + (rows.taps - 1 - i / columns.taps) * rows.tap_step;
      const std::int64_t v = columns.tap + (columns.taps - 1 - i % columns.taps) * columns.tap_step;
      pack_b(Cpu{}, packed + g * packed_size<C>(k, group_c),
             w + (u * p.kernel_w + v) * group_c * p.out_c + g * group_out,
             {.k = group_out,
              .n = group_c,
              .row_stride = 1,
              .column_stride = p.out_c,
              .k_total = k,
              .k_begin = i * group_out});
    }
}

template <class T>
void fill_phase(T* dx, const Conv2dParams& p) {
  parallel_for(p.n * p.out_h, 1 + (1 << 14) / (p.out_w * p.out_c),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i)
                   for (std::int64_t j = 0; j < p.out_w; ++j)
                     std::fill_n(
                         dx + i / p.out_h * p.y_image + i % p.out_h * p.y_row + j * p.y_pixel,
                         p.out_c, T(0));
               });
}

template <class T>
void phase_data_grad(Cpu cpu, T* dx, const T* dy, const Compute<T>* w, const Conv2dParams& p,
                     const Phase& rows, const Phase& columns) {
  const Conv2dParams phase{.n = p.n,
                           .h = p.out_h,
                           .w = p.out_w,
                           .c = p.out_c,
                           .out_h = rows.count,
                           .out_w = columns.count,
                           .out_c = p.c,
                           .kernel_h = rows.taps,
                           .kernel_w = columns.taps,
                           .dilation_h = rows.dilation,
                           .dilation_w = columns.dilation,
                           .pad_top = rows.pad,
                           .pad_left = columns.pad,
                           .groups = p.groups,
                           .x_pixel = p.y_pixel,
                           .x_row = p.y_row,
                           .x_image = p.y_image,
                           .y_pixel = p.stride_w * p.x_pixel,
                           .y_row = p.stride_h * p.x_row,
                           .y_image = p.x_image};
  dx += rows.first * p.x_row + columns.first * p.x_pixel;
  if (rows.count == 0 || columns.count == 0) return;
  if (rows.taps == 0 || columns.taps == 0) return fill_phase(dx, phase);
  Scratch<Compute<T>> packed(packed_conv2d_size<T>(phase));
  pack_phase(packed.data(), w, p, rows, columns);
  conv2d(cpu, dx, dy, Packed<Compute<T>>{packed.data()}, phase);
}

}  // namespace conv_detail

// dx (n, h, w, c), laid out as x of the forward convolution that `params`
// describe, from dy laid out as its y.
template <FloatElement T>
void conv2d_data_grad(Cpu cpu, T* dx, const T* dy, const Compute<T>* w,
                      const Conv2dParams& params) {
  const Conv2dParams p = params.resolved();
  for (std::int64_t i = 0; i < p.stride_h; ++i)
    for (std::int64_t j = 0; j < p.stride_w; ++j)
      conv_detail::phase_data_grad(
          cpu, dx, dy, w, p,
          conv_detail::Phase(i, p.h, p.kernel_h, p.stride_h, p.dilation_h, p.pad_top),
          conv_detail::Phase(j, p.w, p.kernel_w, p.stride_w, p.dilation_w, p.pad_left));
}

// The same by their definitions, readable and slow.
template <FloatElement T>
void conv2d_grad_reference(T* dx, Compute<T>* dw, const T* x, const T* dy, const Compute<T>* w,
                           const Conv2dParams& params) {
  using C = Compute<T>;
  const Conv2dParams p = params.resolved();
  const std::int64_t group_c = p.c / p.groups, group_out = p.out_c / p.groups;
  Scratch<C> sum_x(p.n * p.h * p.w * p.c);
  std::fill_n(sum_x.data(), p.n * p.h * p.w * p.c, C(0));
  std::fill_n(dw, p.kernel_h * p.kernel_w * group_c * p.out_c, C(0));
  const auto each_product = [&](auto&& f) {  // f(dy, element of x, element of w) of every product
    for (std::int64_t i = 0; i < p.n * p.out_h * p.out_w * p.out_c; ++i) {
      const std::int64_t o = i % p.out_c, column = i / p.out_c % p.out_w;
      const std::int64_t row = i / p.out_c / p.out_w % p.out_h, n = i / p.out_c / p.out_w / p.out_h;
      const T g = dy[n * p.y_image + row * p.y_row + column * p.y_pixel + o];
      for (std::int64_t e = 0; e < p.kernel_h * p.kernel_w * group_c; ++e) {
        const std::int64_t u = e / group_c / p.kernel_w, v = e / group_c % p.kernel_w;
        const std::int64_t at_row = row * p.stride_h - p.pad_top + u * p.dilation_h;
        const std::int64_t at_column = column * p.stride_w - p.pad_left + v * p.dilation_w;
        if (at_row < 0 || at_row >= p.h || at_column < 0 || at_column >= p.w) continue;
        const std::int64_t c = o / group_out * group_c + e % group_c;
        f(static_cast<C>(g), n, at_row, at_column, c, e * p.out_c + o);
      }
    }
  };
  each_product([&](C g, std::int64_t n, std::int64_t row, std::int64_t column, std::int64_t c,
                   std::int64_t at_w) {
    sum_x.data()[((n * p.h + row) * p.w + column) * p.c + c] += g * w[at_w];
    dw[at_w] += g * static_cast<C>(x[n * p.x_image + row * p.x_row + column * p.x_pixel + c]);
  });
  for (std::int64_t i = 0; i < p.n * p.h * p.w * p.c; ++i) {
    const std::int64_t pixel = i / p.c, column = pixel % p.w, row = pixel / p.w % p.h;
    dx[pixel / p.w / p.h * p.x_image + row * p.x_row + column * p.x_pixel + i % p.c] =
        static_cast<T>(sum_x.data()[i]);
  }
}

}  // namespace mien::kernels
