// Resizing NHWC images, rows [begin, end) of all images' rows counted through.

namespace mien::kernels::MIEN_ISA {

// A pixel's gradient is the sum over the outputs that copied it.
template <class T>
void resize_nearest_grad_rows(T* dx, const T* dy, std::int64_t begin, std::int64_t end,
                              const ResizeParams<float>& p) {
  using V = Vec<Compute<T>>;
  const std::int64_t *ys = p.h.first.data(), *xs = p.w.first.data();
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t iy = row % p.h.in;
    const T* image = dy + row / p.h.in * p.h.out * p.w.out * p.c;
    for (std::int64_t ix = 0; ix < p.w.in; ++ix) {
      for (std::int64_t j = 0; j < p.c; j += V::lanes) {
        const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
        V sum;
        for (std::int64_t oy = ys[iy]; oy < ys[iy + 1]; ++oy)
          for (std::int64_t ox = xs[ix]; ox < xs[ix + 1]; ++ox)
            sum = sum + V::load(image + (oy * p.w.out + ox) * p.c + j, n);
        sum.store(dx + (row * p.w.in + ix) * p.c + j, n);
      }
    }
  }
}

template <class T>
void resize_bilinear_rows(T* y, const T* x, std::int64_t begin, std::int64_t end,
                          const ResizeParams<Compute<T>>& p) {
  using V = Vec<Compute<T>>;
  const std::int64_t in_row = p.w.in * p.c;
  for (std::int64_t row = begin; row < end; ++row) {
    const auto oy = static_cast<std::size_t>(row % p.h.out);
    const T* upper = x + (row / p.h.out * p.h.in + p.h.low[oy]) * in_row;
    const T* lower = p.h.low[oy] + 1 < p.h.in ? upper + in_row : upper;
    const V down(p.h.lambda[oy]), up(1 - p.h.lambda[oy]);
    for (std::int64_t ox = 0; ox < p.w.out; ++ox) {
      const auto at = static_cast<std::size_t>(ox);
      const std::int64_t low = p.w.low[at] * p.c, high = p.w.low[at] + 1 < p.w.in ? low + p.c : low;
      const V right(p.w.lambda[at]), left(1 - p.w.lambda[at]);
      T* out = y + (row * p.w.out + ox) * p.c;
      for (std::int64_t j = 0; j < p.c; j += V::lanes) {
        const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
        const auto across = [&](const T* line) {
          return fma(left, V::load(line + low + j, n), right * V::load(line + high + j, n));
        };
        fma(up, across(upper), down * across(lower)).store(out + j, n);
      }
    }
  }
}

template <class T>
void resize_bilinear_grad_rows(T* dx, const T* dy, std::int64_t begin, std::int64_t end,
                               const ResizeParams<Compute<T>>& p) {
  using V = Vec<Compute<T>>;
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t iy = row % p.h.in;
    const T* image = dy + row / p.h.in * p.h.out * p.w.out * p.c;
    for (std::int64_t ix = 0; ix < p.w.in; ++ix) {
      for (std::int64_t j = 0; j < p.c; j += V::lanes) {
        const int n = static_cast<int>(std::min<std::int64_t>(V::lanes, p.c - j));
        V sum;
        for (std::int64_t oy = p.h.begin(iy); oy < p.h.end(iy); ++oy) {
          V line;
          for (std::int64_t ox = p.w.begin(ix); ox < p.w.end(ix); ++ox)
            line =
                fma(V(p.w.weight(ox, ix)), V::load(image + (oy * p.w.out + ox) * p.c + j, n), line);
          sum = fma(V(p.h.weight(oy, iy)), line, sum);
        }
        sum.store(dx + (row * p.w.in + ix) * p.c + j, n);
      }
    }
  }
}

}  // namespace mien::kernels::MIEN_ISA
