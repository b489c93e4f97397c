// Depthwise convolution, vectors over channels. Kernels of 3x3 and 5x5 taps, columns undilated,
// take a tile of pixels at once: what is loaded serves every sum that it belongs to. The last
// vector of channels overlaps the one before where they do not fill whole vectors.

namespace mien::kernels::MIEN_ISA {

// Pixels of a tile. More than 4 pay where 5x5 taps, their inputs and sums fit 32 registers: 7,
// which cut rows of 7, 14, 28... without a rest, are 1.3 times faster on a Zen 4.
template <class C, int K, int Stride>
constexpr int depthwise_tile_size = K == 5 && Stride == 1 && Vec<C>::lanes * sizeof(C) == 64 ? 7
                                                                                             : 4;

// How far ahead of its use memory is asked for: 8 KiB. A tile walks along more rows than the
// hardware foresees; with this, images beyond the caches take half the time.
template <class T>
constexpr auto depthwise_ahead = static_cast<std::int64_t>(8192 / sizeof(T));

// Asks for `Count` pixels that lie c elements apart, to be read or written. They go to the
// second-level cache: the first has too few places for lines that are on their way.
template <int Count, bool Write, class T>
MIEN_INLINE void prefetch_pixels(const T* p, std::int64_t c) {
#pragma GCC unroll 8
  for (int i = 0; i < Count; ++i) __builtin_prefetch(p + i * c, Write, 2);
}

// Vectors of `Count` pixels, from `first` on, of a row of `width`; those outside are zero.
template <int Count, class T, class Register>
MIEN_INLINE void load_tile(Register (&in)[Count], const T* row, std::int64_t first,
                           std::int64_t width, std::int64_t c) {
  using V = Vec<Compute<T>>;
  if (first >= 0 && first + Count <= width) {
#pragma GCC unroll 16
    for (int i = 0; i < Count; ++i) in[i] = V::load(row + (first + i) * c).v;
  } else {
#pragma GCC unroll 16
    for (int i = 0; i < Count; ++i)
      in[i] = first + i >= 0 && first + i < width ? V::load(row + (first + i) * c).v : V().v;
  }
}

// Sums are arrays of a type without constructors, which stay in registers.
template <class C, class Register, int Count>
MIEN_INLINE void clear_sums(Register (&sums)[Count]) {
#pragma GCC unroll 32
  for (int i = 0; i < Count; ++i) sums[i] = Vec<C>().v;
}

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

// Sums of output pixels [ox, ox + outputs) of a row, at most a tile. They are for y in the end.
template <class T, int K, int Stride>
MIEN_NOINLINE void depthwise_tile(Compute<T>* sums, const T* y, const T* x, const Compute<T>* w,
                                  const DepthwiseParams& p, const TapRange& rows, std::int64_t ox,
                                  int outputs) {
  using V = Vec<Compute<T>>;
  using Register = decltype(V::v);
  constexpr int tile = depthwise_tile_size<Compute<T>, K, Stride>;
  const std::int64_t c = p.c, width = p.w, first = ox * Stride - p.pad_left;
  const std::int64_t x_row = p.dilation_h * width * c, begin = rows.begin, end = rows.end;
  x += (rows.origin + begin * p.dilation_h) * width * c;
  w += begin * K * c;
  for (std::int64_t next = 0; next < c; next += V::lanes) {
    const std::int64_t j = std::min(next, c - V::lanes);
    const T* row = x + j;
    const Compute<T>* weights = w + j;
    Register sum[tile];
    clear_sums<Compute<T>>(sum);
    for (std::int64_t u = begin; u < end; ++u, row += x_row, weights += K * c) {
      Register in[(tile - 1) * Stride + K];
      load_tile(in, row, first, width, c);
      if (u + Stride >= end)  // new to this row of the output
        prefetch_pixels<tile * Stride, false>(row + first * c + depthwise_ahead<T>, c);
#pragma GCC unroll 8
      for (int v = 0; v < K; ++v) {
        const V weight = V::load(weights + v * c);
#pragma GCC unroll 8
        for (int t = 0; t < tile; ++t) sum[t] = fma(V(in[t * Stride + v]), weight, V(sum[t])).v;
      }
    }
    prefetch_pixels<tile, true>(y + j + depthwise_ahead<T>, c);
#pragma GCC unroll 8
    for (int t = 0; t < tile; ++t)
      if (t < outputs) V(sum[t]).store(sums + t * c + j);
  }
}

// The same for any kernel, stride and number of channels.
template <class T>
void depthwise_any_tile(Compute<T>* sums, const T*, const T* x, const Compute<T>* w,
                        const DepthwiseParams& p, const TapRange& rows, std::int64_t ox,
                        int outputs) {
  for (int t = 0; t < outputs; ++t)
    depthwise_pixel<T>(sums + t * p.c, x, w, p, rows, p.column_taps(ox + t));
}

// Calls f(kernel, stride), integral constants, where there is a kernel of that size for tiles.
template <class C, class F>
bool with_depthwise_size(const DepthwiseParams& p, F&& f) {
  const auto call = [&](auto kernel, auto stride) {
    const bool fits = p.kernel_h == kernel() && p.kernel_w == kernel() && p.stride_w == stride() &&
                      p.dilation_w == 1 && p.pad_left >= 0 && p.c >= Vec<C>::lanes;
    if (fits) f(kernel, stride);
    return fits;
  };
  constexpr std::integral_constant<int, 1> one{};
  constexpr std::integral_constant<int, 2> two{};
  constexpr std::integral_constant<int, 3> three{};
  constexpr std::integral_constant<int, 5> five{};
  return call(three, one) || call(three, two) || call(five, one) || call(five, two);
}

// Gradients take no tiles in scalar code: compilers make vectors of the loops over channels of the
// kernels for any size, which are twice as fast.
template <class C>
constexpr bool depthwise_gradients_in_tiles = Vec<C>::lanes > 1;

// Rows [begin, end) of an image, with the epilogue; pool (c) gains the sums of y. Sums of a tile,
// (max_tile, c), go through `sums` where the epilogue does something.
template <class T>
void depthwise_rows(T* y, const T* x, const Compute<T>* w, const DepthwiseParams& p,
                    const Epilogue<T>& e, Compute<T>* sums, Compute<T>* pool, std::int64_t begin,
                    std::int64_t end) {
  auto tile = &depthwise_any_tile<T>;
  std::int64_t tile_size = 1;
  with_depthwise_size<Compute<T>>(p, [&](auto kernel, auto stride) {
    tile = &depthwise_tile<T, kernel(), stride()>;
    tile_size = depthwise_tile_size<Compute<T>, kernel(), stride()>;
  });
  const std::int64_t residual_pixel = e.residual_pixel ? e.residual_pixel : p.c;
  const bool plain = is_plain(e) && !pool;
  for (std::int64_t oy = begin; oy < end; ++oy) {
    const TapRange rows = p.row_taps(oy);
    for (std::int64_t ox = 0; ox < p.out_w; ox += tile_size) {
      const std::int64_t pixel = oy * p.out_w + ox, outputs = std::min(tile_size, p.out_w - ox);
      T* to = y + pixel * p.c;
      if constexpr (std::is_same_v<T, Compute<T>>)
        if (plain) {
          tile(to, to, x, w, p, rows, ox, static_cast<int>(outputs));
          continue;
        }
      tile(sums, to, x, w, p, rows, ox, static_cast<int>(outputs));
      apply_epilogue(
          EpilogueBlock<T>{.sums = sums,
                           .y = to,
                           .residual = e.residual ? e.residual + pixel * residual_pixel : nullptr,
                           .pool = pool,
                           .sums_row = p.c,
                           .y_row = p.c,
                           .residual_row = residual_pixel,
                           .rows = outputs,
                           .channels = p.c,
                           .first_channel = 0},
          e);
    }
  }
}

// Row `iy` of dx by gathering: dx(ix) = sum of dy((ix + pad - v) / Stride) w(v). A tile begins
// where ix + pad is a multiple of Stride, so which taps its pixels have is known at compile time.
template <class T, int K, int Stride>
MIEN_NOINLINE void depthwise_data_grad_tiles(T* dx_row, const T* dy, const Compute<T>* w,
                                             const DepthwiseParams& p, std::int64_t iy) {
  using V = Vec<Compute<T>>;
  using Register = decltype(V::v);
  constexpr int tile = 4, reach = (K - 1) / Stride;
  const std::int64_t c = p.c, width = p.out_w, dx_width = p.w;
  const T* dy_rows[K];
  const Compute<T>* w_rows[K];
  int taps = 0;
  for (std::int64_t u = 0; u < K; ++u) {
    const std::int64_t at = iy + p.pad_top - u * p.dilation_h;
    if (at < 0 || at % p.stride_h != 0 || at / p.stride_h >= p.out_h) continue;
    dy_rows[taps] = dy + at / p.stride_h * width * c;
    w_rows[taps++] = w + u * K * c;
  }
  for (std::int64_t ox = p.pad_left / Stride, ix; (ix = ox * Stride - p.pad_left) < dx_width;
       ox += tile)
    for (std::int64_t next = 0; next < c; next += V::lanes) {
      const std::int64_t j = std::min(next, c - V::lanes);
      Register sum[tile * Stride];
      clear_sums<Compute<T>>(sum);
      for (int u = 0; u < taps; ++u) {
        const T* row = dy_rows[u] + j;
        const Compute<T>* weights = w_rows[u] + j;
        Register in[tile + reach];
        load_tile(in, row, ox - reach, width, c);
        if (u == 0) prefetch_pixels<tile, false>(row + ox * c + depthwise_ahead<T>, c);
#pragma GCC unroll 8
        for (int v = 0; v < K; ++v) {
          const V weight = V::load(weights + v * c);
#pragma GCC unroll 8
          for (int t = 0; t < tile; ++t) {
            Register& to = sum[t * Stride + v % Stride];
            to = fma(V(in[reach + t - v / Stride]), weight, V(to)).v;
          }
        }
      }
      T* to = dx_row + ix * c + j;
      prefetch_pixels<tile * Stride, true>(to + depthwise_ahead<T>, c);
#pragma GCC unroll 16
      for (int t = 0; t < tile * Stride; ++t)
        if (ix + t >= 0 && ix + t < dx_width) V(sum[t]).store(to + t * c);
    }
}

// The same for any kernel by scattering the rows of dy into `sums` (w, c).
template <class T>
void depthwise_data_grad_scatter(T* dx_row, Compute<T>* sums, const T* dy, const Compute<T>* w,
                                 const DepthwiseParams& p, std::int64_t iy) {
  using C = Compute<T>;
  std::fill(sums, sums + p.w * p.c, C(0));
  for (std::int64_t u = 0; u < p.kernel_h; ++u) {
    const std::int64_t at = iy + p.pad_top - u * p.dilation_h;
    if (at < 0 || at % p.stride_h != 0 || at / p.stride_h >= p.out_h) continue;
    const T* dy_row = dy + at / p.stride_h * p.out_w * p.c;
    for (std::int64_t ox = 0; ox < p.out_w; ++ox) {
      const TapRange columns = p.column_taps(ox);
      for (std::int64_t v = columns.begin; v < columns.end; ++v) {
        C* to = sums + (columns.origin + v * p.dilation_w) * p.c;
        const C* weight = w + (u * p.kernel_w + v) * p.c;
        each_vector<C>(p.c, [&](std::int64_t j, int n) {
          const Vec<C> sum = fma(load_vector(dy_row + ox * p.c + j, n), load_vector(weight + j, n),
                                 load_vector(to + j, n));
          store_vector(sum, to + j, n);
        });
      }
    }
  }
  for (std::int64_t j = 0; j < p.w * p.c; ++j) dx_row[j] = static_cast<T>(sums[j]);
}

// Row `iy` of dx (w, c) of an image. `sums` (w, c) is room to work in.
template <class T>
void depthwise_data_grad_row(T* dx_row, Compute<T>* sums, const T* dy, const Compute<T>* w,
                             const DepthwiseParams& p, std::int64_t iy) {
  bool tiled = false;
  if constexpr (depthwise_gradients_in_tiles<Compute<T>>)
    with_depthwise_size<Compute<T>>(p, [&](auto kernel, auto stride) {
      tiled = stride() == 2;
      if constexpr (stride() == 2)
        depthwise_data_grad_tiles<T, kernel(), stride()>(dx_row, dy, w, p, iy);
    });
  if (!tiled) depthwise_data_grad_scatter(dx_row, sums, dy, w, p, iy);
}

// dw (kernel_h, kernel_w, c) gains what rows [begin, end) of one image's dy add in channels
// [first, last), whole vectors. A vector of channels at a time goes through all rows, the sums of
// as many rows of taps as registers hold.
template <class T, int K, int Stride>
MIEN_NOINLINE void depthwise_weight_grad_tiles(Compute<T>* dw, const T* x, const T* dy,
                                               const DepthwiseParams& p, std::int64_t begin,
                                               std::int64_t end, std::int64_t first,
                                               std::int64_t last) {
  using V = Vec<Compute<T>>;
  using Register = decltype(V::v);
  constexpr int tile = 4,
                at_once = K == 3 || Vec<Compute<T>>::lanes * sizeof(Compute<T>) == 64 ? K : 1;
  const std::int64_t c = p.c, width = p.w, out_width = p.out_w;
  const std::int64_t dy_ahead = (end - begin) * out_width * c,
                     x_ahead = (end - begin) * p.stride_h * width * c;
  for (std::int64_t j = first; j < last; j += V::lanes)
    for (int u = 0; u < K; u += at_once) {
      Register sum[at_once * K];
      Compute<T>* to = dw + u * K * c + j;
      clear_sums<Compute<T>>(sum);
      for (std::int64_t oy = begin; oy < end; ++oy) {
        const T* dy_row = dy + oy * out_width * c + j;
        for (std::int64_t ox = 0; ox < out_width; ox += tile) {
          const std::int64_t ix = ox * Stride - p.pad_left;
          Register g[tile];
          load_tile(g, dy_row, ox, out_width, c);
          if (u == 0) prefetch_pixels<tile, false>(dy_row + ox * c + dy_ahead, c);
#pragma GCC unroll 8
          for (int r = 0; r < at_once; ++r) {
            const std::int64_t iy = oy * p.stride_h - p.pad_top + (u + r) * p.dilation_h;
            if (iy < 0 || iy >= p.h) continue;
            const T* row = x + iy * width * c + j;
            Register in[(tile - 1) * Stride + K];
            load_tile(in, row, ix, width, c);
            if (u + r + Stride >= K)
              prefetch_pixels<tile * Stride, false>(row + ix * c + x_ahead, c);
#pragma GCC unroll 8
            for (int v = 0; v < K; ++v)
#pragma GCC unroll 8
              for (int t = 0; t < tile; ++t)
                sum[r * K + v] = fma(V(in[t * Stride + v]), V(g[t]), V(sum[r * K + v])).v;
          }
        }
      }
#pragma GCC unroll 32
      for (int i = 0; i < at_once * K; ++i) (V::load(to + i * c) + V(sum[i])).store(to + i * c);
    }
}

// The same for any kernel and channels, the sums in memory.
template <class T>
void depthwise_weight_grad_pixels(Compute<T>* dw, const T* x, const T* dy, const DepthwiseParams& p,
                                  std::int64_t begin, std::int64_t end, std::int64_t first,
                                  std::int64_t last) {
  using C = Compute<T>;
  for (std::int64_t pixel = begin * p.out_w; pixel < end * p.out_w; ++pixel) {
    const TapRange rows = p.row_taps(pixel / p.out_w), columns = p.column_taps(pixel % p.out_w);
    for (std::int64_t u = rows.begin; u < rows.end; ++u)
      for (std::int64_t v = columns.begin; v < columns.end; ++v) {
        const T* from =
            x + ((rows.origin + u * p.dilation_h) * p.w + columns.origin + v * p.dilation_w) * p.c;
        C* to = dw + (u * p.kernel_w + v) * p.c;
        each_vector<C>(last - first, [&](std::int64_t i, int n) {
          const std::int64_t j = first + i;
          const Vec<C> sum = fma(load_vector(from + j, n), load_vector(dy + pixel * p.c + j, n),
                                 load_vector(to + j, n));
          store_vector(sum, to + j, n);
        });
      }
  }
}

template <class T>
void depthwise_weight_grad_rows(Compute<T>* dw, const T* x, const T* dy, const DepthwiseParams& p,
                                std::int64_t begin, std::int64_t end, std::int64_t first,
                                std::int64_t last) {
  std::int64_t whole = first;
  if constexpr (depthwise_gradients_in_tiles<Compute<T>>)
    with_depthwise_size<Compute<T>>(p, [&](auto kernel, auto stride) {
      whole = last - (last - first) % Vec<Compute<T>>::lanes;
      depthwise_weight_grad_tiles<T, kernel(), stride()>(dw, x, dy, p, begin, end, first, whole);
    });
  if (whole < last) depthwise_weight_grad_pixels(dw, x, dy, p, begin, end, whole, last);
}

}  // namespace mien::kernels::MIEN_ISA
