#pragma once
// Two-dimensional convolution, NHWC, with a fused epilogue:
//
//   y(n, i, j, o) = epilogue(sum over u, v, c of x(n, i sh - pt + u dh, j sw - pl + v dw, c) w(u, v, c, o))
//
// where x outside the image is zero. Group g of the output channels sees group g of the input's.

#include <mien/cpu/gemm.hpp>

namespace mien::kernels {

// Pixel, row and image strides are in elements; 0 stands for dense.
struct Conv2dParams {
  std::int64_t n, h, w, c;            // x (n, h, w, c)
  std::int64_t out_h, out_w, out_c;   // y (n, out_h, out_w, out_c)
  std::int64_t kernel_h, kernel_w;    // weights (kernel_h, kernel_w, c / groups, out_c)
  std::int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;  // those below and right follow from out_h and out_w
  std::int64_t groups = 1;
  std::int64_t x_pixel = 0, x_row = 0, x_image = 0;
  std::int64_t y_pixel = 0, y_row = 0, y_image = 0;

  // The same with every stride filled in.
  Conv2dParams resolved() const {
    Conv2dParams p = *this;
    const auto fill = [](std::int64_t& stride, std::int64_t dense) {
      if (stride == 0) stride = dense;
    };
    fill(p.x_pixel, c);
    fill(p.x_row, w * p.x_pixel);
    fill(p.x_image, h * p.x_row);
    fill(p.y_pixel, out_c);
    fill(p.y_row, out_w * p.y_pixel);
    fill(p.y_image, out_h * p.y_row);
    return p;
  }

  // Input rows and columns below so many output rows and columns.
  std::int64_t input_rows(std::int64_t count) const {
    return (count - 1) * stride_h + (kernel_h - 1) * dilation_h + 1;
  }
  std::int64_t input_columns(std::int64_t count) const {
    return (count - 1) * stride_w + (kernel_w - 1) * dilation_w + 1;
  }
};

// A whole convolution, as its pieces see it.
template <class T>
struct ConvJob {
  T* y;
  const T* x;
  const Compute<T>* w;  // packed, group after group
  Conv2dParams p;       // resolved
  Epilogue<T> epilogue;
  bool in_place = false;     // x is read where it lies, else from a ring of padded rows
  std::int64_t pixel = 0;    // elements between pixels of the rows read
  std::int64_t runs_per_row = 0, run_length = 0;  // runs of k in a kernel row
  std::int64_t ring_rows = 0, ring_row = 0;       // rows of the ring, elements of a row
  std::int64_t group_size = 0;            // elements of a group's packed weights
};

struct ConvBlock {
  std::int64_t image, row_begin, row_end, column_begin, column_end, panel_begin, panel_end;
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/conv.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

namespace conv_detail {

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// How the output is cut for threads.
struct Split {
  std::int64_t rows, columns, panels;  // per piece
};

template <class T>
Split split_conv(const Conv2dParams& p, std::int64_t panels, std::int64_t k) {
  using C = Compute<T>;
  constexpr std::int64_t bytes = sizeof(C), ring_bytes = 512 << 10, weight_bytes = 1 << 20;
  constexpr std::int64_t smallest = 1 << 22, tile = 14;
  const std::int64_t pieces = 8 * num_threads();
  Split s{p.out_h, p.out_w, panels};
  const std::int64_t ring_columns = ring_bytes / bytes / (p.input_rows(1) * p.c);
  const std::int64_t fitting = (ring_columns - p.input_columns(1)) / p.stride_w;
  if (fitting < p.out_w) s.columns = std::max<std::int64_t>(1, fitting / tile) * tile;
  s.panels = std::clamp<std::int64_t>(weight_bytes / (128 * k), 1, panels);
  const auto work = [&] { return s.rows * s.columns * k * s.panels * panel_columns<C>; };
  const std::int64_t total = p.n * p.out_h * p.out_w * k * panels * panel_columns<C>;
  const std::int64_t wanted = std::max(smallest, total / pieces);
  while (work() > wanted && s.rows > 1) s.rows = (s.rows + 1) / 2;
  while (work() > wanted && s.panels > 1) s.panels = (s.panels + 1) / 2;
  return s;
}

template <class T>
ConvJob<T> make_job(T* y, const T* x, Packed<T> w, const Conv2dParams& p, const Epilogue<T>& e,
                    std::int64_t columns) {
  using C = Compute<T>;
  const std::int64_t group_c = p.c / p.groups, tallest = 14;
  ConvJob<T> job{.y = y, .x = x, .w = w.data, .p = p, .epilogue = e};
  const bool unpadded = p.pad_top == 0 && p.pad_left == 0 && p.input_rows(p.out_h) <= p.h &&
                        p.input_columns(p.out_w) <= p.w;
  job.in_place = std::is_same_v<T, C> && unpadded && p.out_w >= tallest &&
                 !strides_collide<C>(p.stride_w * p.x_pixel);
  job.pixel = job.in_place ? p.x_pixel : p.c + (strides_collide<C>(p.stride_w * p.c) ? 16 : 0);
  const bool contiguous = job.pixel == group_c && p.dilation_w == 1;
  job.runs_per_row = contiguous ? 1 : p.kernel_w;
  job.run_length = contiguous ? p.kernel_w * group_c : group_c;
  job.ring_rows = p.input_rows(1);
  job.ring_row = p.input_columns(columns + tallest) * job.pixel;
  job.group_size = packed_size<T>(p.kernel_h * p.kernel_w * group_c, p.out_c / p.groups);
  if (e.residual && e.residual_pixel == 0) job.epilogue.residual_pixel = p.out_c;
  return job;
}

// A 1x1 convolution without gaps between rows is one matrix product over all pixels.
inline bool is_matrix_product(const Conv2dParams& p) {
  return p.kernel_h == 1 && p.kernel_w == 1 && p.stride_h == 1 && p.stride_w == 1 &&
         p.groups == 1 && p.out_h == p.h && p.out_w == p.w && p.pad_top == 0 && p.pad_left == 0 &&
         p.x_row == p.w * p.x_pixel && p.x_image == p.h * p.x_row &&
         p.y_row == p.out_w * p.y_pixel && p.y_image == p.out_h * p.y_row;
}

}  // namespace conv_detail

// Elements of Compute<T> that pack_conv2d writes.
template <FloatElement T>
std::int64_t packed_conv2d_size(const Conv2dParams& p) {
  return p.groups *
         packed_size<T>(p.kernel_h * p.kernel_w * (p.c / p.groups), p.out_c / p.groups);
}

// Weights (kernel_h, kernel_w, c / groups, out_c) in the form that conv2d reads, for every
// instruction set and image size.
template <FloatElement T>
void pack_conv2d(Cpu cpu, Compute<T>* packed, const T* w, const Conv2dParams& p) {
  const std::int64_t k = p.kernel_h * p.kernel_w * (p.c / p.groups), out = p.out_c / p.groups;
  for (std::int64_t g = 0; g < p.groups; ++g)
    pack_b(cpu, packed + g * packed_size<T>(k, out), w + g * out, k, out, p.out_c, 1);
}

template <FloatElement T>
void conv2d(Cpu cpu, T* y, const T* x, Packed<T> w, const Conv2dParams& params,
            const Epilogue<T>& e = {}) {
  using C = Compute<T>;
  const Conv2dParams p = params.resolved();
  if (conv_detail::is_matrix_product(p))
    return gemm(cpu, y, x, w,
                {.m = p.n * p.h * p.w, .n = p.out_c, .k = p.c, .a_row = p.x_pixel, .a_col = 1,
                 .b_row = 0, .b_col = 0, .c_row = p.y_pixel},
                e);
  const std::int64_t k = p.kernel_h * p.kernel_w * (p.c / p.groups);
  const std::int64_t panels = p.groups * panel_count<C>(p.out_c / p.groups);
  const conv_detail::Split split = conv_detail::split_conv<T>(p, panels, k);
  const ConvJob<T> job = conv_detail::make_job(y, x, w, p, e, split.columns);
  const std::int64_t bands = conv_detail::ceil_div(p.out_h, split.rows);
  const std::int64_t strips = conv_detail::ceil_div(p.out_w, split.columns);
  const std::int64_t slices = conv_detail::ceil_div(panels, split.panels);
  const auto run = MIEN_ISA_PICK(conv_block<T>);
  parallel_for(slices * p.n * bands * strips, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t column = i % strips * split.columns, row = i / strips % bands * split.rows;
      const std::int64_t panel = i / (strips * bands * p.n) * split.panels;
      run(job, {.image = i / (strips * bands) % p.n,
                .row_begin = row,
                .row_end = std::min(p.out_h, row + split.rows),
                .column_begin = column,
                .column_end = std::min(p.out_w, column + split.columns),
                .panel_begin = panel,
                .panel_end = std::min(panels, panel + split.panels)});
    }
  });
}

// The same with weights as they lie in memory; packs them first.
template <FloatElement T>
void conv2d(Cpu cpu, T* y, const T* x, const T* w, const Conv2dParams& p,
            const Epilogue<T>& e = {}) {
  Scratch<Compute<T>> packed(packed_conv2d_size<T>(p));
  pack_conv2d(cpu, packed.data(), w, p);
  conv2d(cpu, y, x, Packed<T>{packed.data()}, p, e);
}

// What conv2d computes, readable and slow.
template <FloatElement T>
void conv2d_reference(T* y, const T* x, const T* w, const Conv2dParams& params,
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
              const T* pixel = x + n * p.x_image + row * p.x_row + column * p.x_pixel +
                               o / group_out * group_c;
              for (std::int64_t c = 0; c < group_c; ++c)
                sum += static_cast<C>(pixel[c]) *
                       static_cast<C>(w[((u * p.kernel_w + v) * group_c + c) * p.out_c + o]);
            }
          const std::int64_t at = (n * p.out_h + i) * p.out_w + j;
          const T* residual = e.residual ? e.residual + at * residual_pixel + o : nullptr;
          y[n * p.y_image + i * p.y_row + j * p.y_pixel + o] =
              epilogue_reference(sum, e, o, residual);
        }
}

}  // namespace mien::kernels
