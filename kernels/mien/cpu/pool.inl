// Window pooling over NHWC images, rows [begin, end) of all images' rows counted through.

namespace mien::kernels::MIEN_ISA {

// Calls f(output pixel, window in h, window in w) for the outputs in the given rows.
template <class F>
MIEN_INLINE void each_window(std::int64_t begin, std::int64_t end, const Pool2dParams& p, F f) {
  for (std::int64_t row = begin; row < end; ++row) {
    const PoolWindow v(row % p.out_h, p.h, p.kernel_h, p.stride_h, p.pad_h, p.count_padding);
    for (std::int64_t ox = 0; ox < p.out_w; ++ox)
      f(row * p.out_w + ox, row / p.out_h, v,
        PoolWindow(ox, p.w, p.kernel_w, p.stride_w, p.pad_w, p.count_padding));
  }
}

// The maximum goes to y, or (Taps) its position in the window, counted in row-major order, to taps.
template <class T, bool Taps>
void max_pool2d_rows(T* y, Compute<T>* taps, const T* x, std::int64_t begin, std::int64_t end,
                     const Pool2dParams& p) {
  using C = Compute<T>;
  using V = Vec<C>;
  each_window(
      begin, end, p,
      [&](std::int64_t pixel, std::int64_t image, const PoolWindow& v, const PoolWindow& u) {
        for (std::int64_t j = 0; j < p.c; j += V::lanes) {
          const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
          V best(-std::numeric_limits<C>::infinity());
          V arg(static_cast<C>(v.first * p.kernel_w + u.first));
          for (std::int64_t ky = v.first; ky < v.last; ++ky) {
            const T* in = x + ((image * p.h + v.origin + ky) * p.w + u.origin) * p.c + j;
            for (std::int64_t kx = u.first; kx < u.last; ++kx) {
              const V value = V::load(in + kx * p.c, n);
              const auto number = value == value;
              if constexpr (Taps) {
                const V tap(static_cast<C>(ky * p.kernel_w + kx));
                arg = select(number, select(best < value, tap, arg), tap);
              }
              best = select(number, select(best < value, value, best), value);
            }
          }
          if constexpr (Taps)
            arg.store(taps + pixel * p.c + j, n);
          else
            best.store(y + pixel * p.c + j, n);
        }
      });
}

// Calls f(input pixel, offset of the image in outputs, iy, ix, outputs in h, outputs in w) for the
// inputs in the given rows.
template <class F>
MIEN_INLINE void each_cover(std::int64_t begin, std::int64_t end, const Pool2dParams& p, F f) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t iy = row % p.h;
    const PoolCover v(iy, p.out_h, p.kernel_h, p.stride_h, p.pad_h);
    for (std::int64_t ix = 0; ix < p.w; ++ix)
      f(row * p.w + ix, row / p.h * p.out_h * p.out_w, iy, ix, v,
        PoolCover(ix, p.out_w, p.kernel_w, p.stride_w, p.pad_w));
  }
}

template <class T>
void max_pool2d_grad_rows(T* dx, const Compute<T>* taps, const T* dy, std::int64_t begin,
                          std::int64_t end, const Pool2dParams& p) {
  using C = Compute<T>;
  using V = Vec<C>;
  each_cover(begin, end, p,
             [&](std::int64_t pixel, std::int64_t first, std::int64_t iy, std::int64_t ix,
                 const PoolCover& v, const PoolCover& u) {
               for (std::int64_t j = 0; j < p.c; j += V::lanes) {
                 const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
                 V sum;
                 for (std::int64_t oy = v.first; oy < v.last; ++oy) {
                   for (std::int64_t ox = u.first; ox < u.last; ++ox) {
                     const std::int64_t at = (first + oy * p.out_w + ox) * p.c + j;
                     const std::int64_t tap = (iy - oy * p.stride_h + p.pad_h) * p.kernel_w + ix -
                                              ox * p.stride_w + p.pad_w;
                     const auto here = V::load(taps + at, n) == V(static_cast<C>(tap));
                     sum = sum + select(here, V::load(dy + at, n), V());
                   }
                 }
                 sum.store(dx + pixel * p.c + j, n);
               }
             });
}

template <class T>
void avg_pool2d_rows(T* y, const T* x, std::int64_t begin, std::int64_t end,
                     const Pool2dParams& p) {
  using C = Compute<T>;
  using V = Vec<C>;
  each_window(
      begin, end, p,
      [&](std::int64_t pixel, std::int64_t image, const PoolWindow& v, const PoolWindow& u) {
        const V count(static_cast<C>(v.counted * u.counted));
        for (std::int64_t j = 0; j < p.c; j += V::lanes) {
          const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
          V sum;
          for (std::int64_t ky = v.first; ky < v.last; ++ky) {
            const T* in = x + ((image * p.h + v.origin + ky) * p.w + u.origin) * p.c + j;
            for (std::int64_t kx = u.first; kx < u.last; ++kx)
              sum = sum + V::load(in + kx * p.c, n);
          }
          (sum / count).store(y + pixel * p.c + j, n);
        }
      });
}

template <class T>
void avg_pool2d_grad_rows(T* dx, const T* dy, std::int64_t begin, std::int64_t end,
                          const Pool2dParams& p) {
  using C = Compute<T>;
  using V = Vec<C>;
  each_cover(begin, end, p,
             [&](std::int64_t pixel, std::int64_t first, std::int64_t, std::int64_t,
                 const PoolCover& v, const PoolCover& u) {
               for (std::int64_t j = 0; j < p.c; j += V::lanes) {
                 const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
                 V sum;
                 for (std::int64_t oy = v.first; oy < v.last; ++oy) {
                   const PoolWindow a(oy, p.h, p.kernel_h, p.stride_h, p.pad_h, p.count_padding);
                   for (std::int64_t ox = u.first; ox < u.last; ++ox) {
                     const PoolWindow b(ox, p.w, p.kernel_w, p.stride_w, p.pad_w, p.count_padding);
                     const V count(static_cast<C>(a.counted * b.counted));
                     sum = sum + V::load(dy + (first + oy * p.out_w + ox) * p.c + j, n) / count;
                   }
                 }
                 sum.store(dx + pixel * p.c + j, n);
               }
             });
}

}  // namespace mien::kernels::MIEN_ISA
