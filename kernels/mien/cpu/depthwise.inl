// Depthwise convolution, vectors over channels. K is the kernel's size where it is known at compile
// time (square, columns undilated), 0 where it is not.

namespace mien::kernels::MIEN_ISA {

// One output pixel, wherever it lies: only the taps inside the image.
template <class T>
void depthwise_pixel(Compute<T>* sums, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                     const TapRange& rows, const TapRange& columns) {
  using C = Compute<T>;
  each_vector<C>(p.c, [&](std::int64_t j, int n) {
    Vec<C> sum;
    for (std::int64_t u = rows.begin; u < rows.end; ++u)
      for (std::int64_t v = columns.begin; v < columns.end; ++v) {
        const T* pixel =
            x + ((rows.origin + u * p.dilation_h) * p.w + columns.origin + v * p.dilation_w) * p.c;
        sum =
            fma(load_vector(pixel + j, n), load_vector(w + (u * p.kernel_w + v) * p.c + j, n), sum);
      }
    store_vector(sum, sums + j, n);
  });
}

// Four output pixels in a row whose windows lie inside the image's columns. Loaded inputs serve
// every output that they belong to.
template <class T, int K, int Stride>
void depthwise_tile(Compute<T>* sums, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                    const TapRange& rows, std::int64_t first_column) {
  using C = Compute<T>;
  using V = Vec<C>;
  constexpr int outputs = DepthwiseParams::tile, inputs = (outputs - 1) * Stride + K;
  each_vector<C>(p.c, [&](std::int64_t j, int n) {
    V sum[outputs];
    for (std::int64_t u = rows.begin; u < rows.end; ++u) {
      const T* pixel = x + ((rows.origin + u * p.dilation_h) * p.w + first_column) * p.c + j;
      V in[inputs];
      for (int i = 0; i < inputs; ++i) in[i] = load_vector(pixel + i * p.c, n);
      for (int v = 0; v < K; ++v) {
        const V weight = load_vector(w + (u * K + v) * p.c + j, n);
        for (int t = 0; t < outputs; ++t) sum[t] = fma(in[t * Stride + v], weight, sum[t]);
      }
    }
    for (int t = 0; t < outputs; ++t) store_vector(sum[t], sums + t * p.c + j, n);
  });
}

// Row `oy` of the output: sums (out_w, c).
template <class T, int K, int Stride>
void depthwise_row(Compute<T>* sums, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                   std::int64_t oy) {
  const TapRange rows = p.row_taps(oy);
  const auto inner = p.inner_columns();
  const std::int64_t inner_begin = inner.first, inner_end = inner.second;
  for (std::int64_t ox = 0; ox < p.out_w;) {
    if constexpr (K > 0) {
      if (ox >= inner_begin && ox + DepthwiseParams::tile <= inner_end) {
        depthwise_tile<T, K, Stride>(sums + ox * p.c, x, w, p, rows, ox * Stride - p.pad_left);
        ox += DepthwiseParams::tile;
        continue;
      }
    }
    depthwise_pixel<T>(sums + ox * p.c, x, w, p, rows, p.column_taps(ox));
    ++ox;
  }
}

template <class T>
void depthwise_any_row(Compute<T>* sums, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                       std::int64_t oy) {
  const bool plain = p.kernel_h == p.kernel_w && p.dilation_w == 1;
  const auto is = [&](std::int64_t kernel, std::int64_t stride) {
    return plain && p.kernel_w == kernel && p.stride_w == stride;
  };
  if (is(3, 1)) return depthwise_row<T, 3, 1>(sums, x, w, p, oy);
  if (is(3, 2)) return depthwise_row<T, 3, 2>(sums, x, w, p, oy);
  if (is(5, 1)) return depthwise_row<T, 5, 1>(sums, x, w, p, oy);
  if (is(5, 2)) return depthwise_row<T, 5, 2>(sums, x, w, p, oy);
  depthwise_row<T, 0, 0>(sums, x, w, p, oy);
}

// Rows [begin, end) of an image, with the epilogue; pool (c) gains the sums of y.
template <class T>
void depthwise_rows(T* y, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                    const Epilogue<T>& e, Compute<T>* sums, Compute<T>* pool, std::int64_t begin,
                    std::int64_t end) {
  for (std::int64_t oy = begin; oy < end; ++oy) {
    depthwise_any_row<T>(sums, x, w, p, oy);
    const std::int64_t first = oy * p.out_w,
                       residual_row = e.residual_pixel ? e.residual_pixel : p.c;
    apply_epilogue(
        EpilogueBlock<T>{.sums = sums,
                         .y = y + first * p.c,
                         .residual = e.residual ? e.residual + first * residual_row : nullptr,
                         .pool = pool,
                         .sums_row = p.c,
                         .y_row = p.c,
                         .residual_row = residual_row,
                         .rows = p.out_w,
                         .channels = p.c,
                         .first_channel = 0},
        e);
  }
}

// Row `iy` of dx by scattering the rows of dy above whose windows it lies: dx_row (w, c), zeroed.
template <class T>
void depthwise_data_grad_row(Compute<T>* dx_row, const T* dy, const Compute<T>* w,
                             const DepthwiseParams& p, std::int64_t iy) {
  using C = Compute<T>;
  for (std::int64_t u = 0; u < p.kernel_h; ++u) {
    const std::int64_t at = iy + p.pad_top - u * p.dilation_h;
    if (at < 0 || at % p.stride_h != 0 || at / p.stride_h >= p.out_h) continue;
    const T* dy_row = dy + at / p.stride_h * p.out_w * p.c;
    for (std::int64_t ox = 0; ox < p.out_w; ++ox) {
      const TapRange columns = p.column_taps(ox);
      for (std::int64_t v = columns.begin; v < columns.end; ++v) {
        C* to = dx_row + (columns.origin + v * p.dilation_w) * p.c;
        const C* weight = w + (u * p.kernel_w + v) * p.c;
        each_vector<C>(p.c, [&](std::int64_t j, int n) {
          const Vec<C> sum = fma(load_vector(dy_row + ox * p.c + j, n), load_vector(weight + j, n),
                                 load_vector(to + j, n));
          store_vector(sum, to + j, n);
        });
      }
    }
  }
}

// dw (kernel_h, kernel_w, c) gains what output row `oy` of one image adds. The taps of a kernel row
// are summed together over the columns in which all of them lie inside the image.
template <class T, int K>
void depthwise_weight_grad_row(Compute<T>* dw, const T* x, const T* dy, const DepthwiseParams& p,
                               std::int64_t oy) {
  using C = Compute<T>;
  using V = Vec<C>;
  const TapRange rows = p.row_taps(oy);
  const auto inner = p.inner_columns();
  const std::int64_t inner_begin = inner.first, inner_end = inner.second;
  const T* dy_row = dy + oy * p.out_w * p.c;
  for (std::int64_t u = rows.begin; u < rows.end; ++u) {
    const T* x_row = x + (rows.origin + u * p.dilation_h) * p.w * p.c;
    C* dw_row = dw + u * p.kernel_w * p.c;
    each_vector<C>(p.c, [&](std::int64_t j, int n) {
      const auto add_pixel = [&](std::int64_t ox) {
        const TapRange columns = p.column_taps(ox);
        const V g = load_vector(dy_row + ox * p.c + j, n);
        for (std::int64_t v = columns.begin; v < columns.end; ++v) {
          C* to = dw_row + v * p.c + j;
          const T* pixel = x_row + (columns.origin + v * p.dilation_w) * p.c + j;
          store_vector(fma(load_vector(pixel, n), g, load_vector(to, n)), to, n);
        }
      };
      const bool summed = K > 0 && inner_begin < inner_end;
      for (std::int64_t ox = 0; ox < (summed ? inner_begin : p.out_w); ++ox) add_pixel(ox);
      if (!summed) return;
      V sum[K > 0 ? K : 1];
      for (std::int64_t ox = inner_begin; ox < inner_end; ++ox) {
        const V g = load_vector(dy_row + ox * p.c + j, n);
        const T* pixel = x_row + (ox * p.stride_w - p.pad_left) * p.c + j;
        for (int v = 0; v < K; ++v) sum[v] = fma(load_vector(pixel + v * p.c, n), g, sum[v]);
      }
      for (int v = 0; v < K; ++v) {
        C* to = dw_row + v * p.c + j;
        store_vector(load_vector(to, n) + sum[v], to, n);
      }
      for (std::int64_t ox = inner_end; ox < p.out_w; ++ox) add_pixel(ox);
    });
  }
}

template <class T>
void depthwise_weight_grad_any_row(Compute<T>* dw, const T* x, const T* dy,
                                   const DepthwiseParams& p, std::int64_t oy) {
  if (p.dilation_w == 1 && p.kernel_w == 3)
    return depthwise_weight_grad_row<T, 3>(dw, x, dy, p, oy);
  if (p.dilation_w == 1 && p.kernel_w == 5)
    return depthwise_weight_grad_row<T, 5>(dw, x, dy, p, oy);
  depthwise_weight_grad_row<T, 0>(dw, x, dy, p, oy);
}

}  // namespace mien::kernels::MIEN_ISA
