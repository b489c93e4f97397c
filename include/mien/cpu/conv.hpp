#pragma once
// Two-dimensional convolution, NHWC, with a fused epilogue:
//
//   y(n, i, j, o) =
//     epilogue(sum over u, v, c of x(n, i sh - pt + u dh, j sw - pl + v dw, c)
//     w(u, v, c, o))
//
// where x outside the image is zero. Group g of the output channels sees group
// g of the input's.
//
// Direct, without im2col: an output pixel's products with a kernel row are one
// run of the row's (column, channel) range, and the next pixel's begins
// stride_w pixels further on. That makes the pixels of an output row rows of A
// for the micro-kernel of GEMM.

#include <mien/cpu/gemm.hpp>
#include <mien/cpu/input_rows.hpp>

namespace mien::kernels {

namespace conv_detail {

// Rows and panels per piece: pieces of about 4 M multiply-adds, or 8 for every
// thread.
struct Split {
  std::int64_t rows, panels;
};

template <class C>
Split split(const Conv2dParams& p, std::int64_t columns, std::int64_t panels, std::int64_t k) {
  constexpr std::int64_t smallest = 1 << 22, weight_bytes = 1 << 20, panel = panel_columns<C>;
  Split s{p.out_h, std::clamp<std::int64_t>(weight_bytes / (128 * k + 1), 1, panels)};
  const auto work = [&] { return s.rows * columns * k * s.panels * panel; };
  const std::int64_t total = p.n * p.out_h * p.out_w * k * panels * panel;
  const std::int64_t wanted = std::max(smallest, total / (8 * num_threads()));
  while (work() > wanted && s.rows > 1) s.rows = (s.rows + 1) / 2;
  while (work() > wanted && s.panels > 1) s.panels = (s.panels + 1) / 2;
  return s;
}

// A 1x1 convolution without gaps between rows is one matrix product over all
// pixels.
inline bool is_matrix_product(const Conv2dParams& p) {
  return p.kernel_h == 1 && p.kernel_w == 1 && p.stride_h == 1 && p.stride_w == 1 &&
         p.groups == 1 && p.out_h == p.h && p.out_w == p.w && p.pad_top == 0 && p.pad_left == 0 &&
         p.x_row == p.w * p.x_pixel && p.x_image == p.h * p.x_row &&
         p.y_row == p.out_w * p.y_pixel && p.y_image == p.out_h * p.y_row;
}

struct Piece {
  std::int64_t image, row_begin, row_end, panel_begin, panel_end;
  Strip strip;
};

template <class T>
void run_piece(T* y, const T* x, Packed<Compute<T>> w, const Conv2dParams& p, const Epilogue<T>& e,
               const Piece& piece) {
  using C = Compute<T>;
  const std::int64_t group_c = p.c / p.groups, group_out = p.out_c / p.groups;
  const std::int64_t group_panels = panel_count<C>(group_out);
  const std::int64_t group_size = packed_size<T>(p.kernel_h * p.kernel_w * group_c, group_out);
  const std::int64_t residual_pixel = e.residual_pixel ? e.residual_pixel : p.out_c;
  const auto multiply = MIEN_ISA_PICK(multiply<T>);
  Scratch<C> sums(panel_sums_size<C>);
  InputRows<T> input(p, x + piece.image * p.x_image, piece.strip);
  for (std::int64_t row = piece.row_begin; row < piece.row_end; ++row) {
    const AView<C> a = input.row(row);
    const std::int64_t pixel = (piece.image * p.out_h + row) * p.out_w + piece.strip.begin;
    T* out = y + piece.image * p.y_image + row * p.y_row + piece.strip.begin * p.y_pixel;
    for (std::int64_t panel = piece.panel_begin; panel < piece.panel_end;) {
      const std::int64_t group = panel / group_panels, first = panel % group_panels;
      const std::int64_t last = std::min(group_panels, first + piece.panel_end - panel);
      const std::int64_t channel = group * group_out;
      AView<C> a_of_group = a;
      a_of_group.data += group * group_c;
      multiply({.a = a_of_group,
                .k = input.runs(),
                .b = w.data + group * group_size,
                .n = group_out,
                .panel_begin = first,
                .panel_end = last,
                .sums = sums.data(),
                .c = out + channel,
                .residual = e.residual ? e.residual + pixel * residual_pixel + channel : nullptr,
                .c_row = p.y_pixel,
                .residual_row = residual_pixel,
                .first_channel = channel,
                .epilogue = &e});
      panel += last - first;
    }
  }
}

}  // namespace conv_detail

// Elements of Compute<T> that pack_conv2d writes.
template <FloatElement T>
std::int64_t packed_conv2d_size(const Conv2dParams& p) {
  const std::int64_t k = p.kernel_h * p.kernel_w * (p.c / p.groups);
  return p.groups * packed_size<T>(k, p.out_c / p.groups);
}

// Weights (kernel_h, kernel_w, c / groups, out_c) in the form that conv2d
// reads, for every instruction set and image size: group after group, packed.
template <class C>
void pack_conv2d(Cpu cpu, C* packed, const C* w, const Conv2dParams& p) {
  const std::int64_t k = p.kernel_h * p.kernel_w * (p.c / p.groups), out = p.out_c / p.groups;
  for (std::int64_t g = 0; g < p.groups; ++g)
    pack_b(cpu, packed + g * packed_size<C>(k, out), w + g * out, k, out, p.out_c, 1);
}

template <FloatElement T>
void conv2d(Cpu cpu, T* y, const T* x, Packed<Compute<T>> w, const Conv2dParams& params,
            const Epilogue<T>& epilogue = {}) {
  using C = Compute<T>;
  const Conv2dParams p = params.resolved();
  if (conv_detail::is_matrix_product(p))
    return gemm(cpu, y, x, w,
                {.m = p.n * p.h * p.w,
                 .n = p.out_c,
                 .k = p.c,
                 .a_row = p.x_pixel,
                 .a_col = 1,
                 .b_row = 0,
                 .b_col = 0,
                 .c_row = p.y_pixel},
                epilogue);
  // Groups, and rows of an odd stride, may begin within a line.
  const bool whole_lines =
      p.groups == 1 && p.y_pixel > 0 && p.y_row % p.y_pixel == 0 && p.y_image % p.y_pixel == 0;
  const Epilogue<T> e =
      whole_lines ? stored_well(epilogue, y, p.n * p.out_h * p.out_w, p.y_pixel) : epilogue;
  const std::int64_t k = p.kernel_h * p.kernel_w * (p.c / p.groups);
  const std::int64_t panels = p.groups * panel_count<C>(p.out_c / p.groups);
  const Strips strips = cut_columns<T>(p, (512 << 10) / sizeof(C));
  const auto split = conv_detail::split<C>(p, strips.width, panels, k);
  const std::int64_t bands = ceil_div(p.out_h, split.rows), slices = ceil_div(panels, split.panels);
  const std::int64_t per_slice = p.n * bands * strips.count();
  parallel_for(slices * per_slice, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t row = i / strips.count() % bands * split.rows;
      const std::int64_t panel = i / per_slice * split.panels;
      conv_detail::run_piece(y, x, w, p, e,
                             {.image = i / (strips.count() * bands) % p.n,
                              .row_begin = row,
                              .row_end = std::min(p.out_h, row + split.rows),
                              .panel_begin = panel,
                              .panel_end = std::min(panels, panel + split.panels),
                              .strip = strips[i % strips.count()]});
      if (e.streaming) end_streaming();
    }
  });
}

// The same with weights as they lie in memory; packs them first.
template <FloatElement T>
void conv2d(Cpu cpu, T* y, const T* x, const Compute<T>* w, const Conv2dParams& p,
            const Epilogue<T>& e = {}) {
  Scratch<Compute<T>> packed(packed_conv2d_size<T>(p));
  pack_conv2d(cpu, packed.data(), w, p);
  conv2d(cpu, y, x, Packed<Compute<T>>{packed.data()}, p, e);
}

// What conv2d computes, readable and slow.
template <FloatElement T>
void conv2d_reference(T* y, const T* x, const Compute<T>* w, const Conv2dParams& params,
                      const Epilogue<T>& e = {}) {
  using C = Compute<T>;
  const Conv2dParams p = params.resolved();
  const std::int64_t group_c = p.c / p.groups, group_out = p.out_c / p.groups;
  const std::int64_t residual_pixel = e.residual_pixel ? e.residual_pixel : p.out_c;
  for (std::int64_t n = 0; n < p.n; ++n)
    for (std::int64_t i = 0; i < p.out_h; ++i)
      for (std::int64_t j = 0; j < p.out_w; ++j)
        for (std::int64_t o = 0; o < p.out_c; ++o) {
          C sum = 0;
          for (std::int64_t u = 0; u < p.kernel_h; ++u)
            for (std::int64_t v = 0; v < p.kernel_w; ++v) {
              const std::int64_t row = i * p.stride_h - p.pad_top + u * p.dilation_h;
              const std::int64_t column = j * p.stride_w - p.pad_left + v * p.dilation_w;
              if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
              const T* pixel =
                  x + n * p.x_image + row * p.x_row + column * p.x_pixel + o / group_out * group_c;
              for (std::int64_t c = 0; c < group_c; ++c)
                sum += static_cast<C>(pixel[c]) *
                       w[((u * p.kernel_w + v) * group_c + c) * p.out_c + o];
            }
          const std::int64_t at = (n * p.out_h + i) * p.out_w + j;
          const T* residual = e.residual ? e.residual + at * residual_pixel + o : nullptr;
          y[n * p.y_image + i * p.y_row + j * p.y_pixel + o] =
              epilogue_reference(sum, e, o, residual);
        }
}

}  // namespace mien::kernels
