// OpenCV's separable resize without antialiasing: Taps weights along each axis, sums in Acc (int32
// for bytes, float else). No rounding happens between the passes.

namespace mien::kernels::MIEN_ISA {

// The product, rounded before anything is added to it: OpenCV is built without fused
// multiply-adds, and the compiler must not form one here.
MIEN_INLINE Vec<float> product(Vec<float> a, Vec<float> b) {
  Vec<float> p = a * b;
#if MIEN_X86
  asm("" : "+x"(p.v));
#else
  asm("" : "+m"(p.v));
#endif
  return p;
}
MIEN_INLINE Vec<std::int32_t> product(Vec<std::int32_t> a, Vec<std::int32_t> b) { return a * b; }

// rows (16, out_width, channels) of sums from 16 input rows: the sums are taken down the rows of
// the transpose, whose row x holds the 16 samples of every channel of pixel x.
template <class T, int Taps, class Acc>
void opencv_horizontal(Acc* out, const T* const in[opencv_rows], const OpenCvParams<Acc>& p,
                       Acc* scratch) {
  using V = Vec<Acc>;
  const std::int64_t pixel = std::int64_t{p.channels} * opencv_rows;
  const std::int64_t in_width = p.in_width * p.channels, out_width = p.out_width * p.channels;
  Acc* columns = scratch;
  Acc* sums = scratch + in_width * opencv_rows;
  for (std::int64_t x = 0; x < in_width; ++x)
    for (int i = 0; i < opencv_rows; ++i) columns[x * opencv_rows + i] = static_cast<Acc>(in[i][x]);
  for (std::int64_t x = 0; x < p.out_width; ++x) {
    const std::int32_t* at = p.x.index + x * Taps;
    const Acc* weight = p.x.weights + x * Taps;
    for (std::int64_t i = 0; i < pixel; i += V::lanes) {
      V sum = product(V::load(columns + at[0] * pixel + i), V(weight[0]));
#pragma GCC unroll 8
      for (int t = 1; t < Taps; ++t)
        sum = sum + product(V::load(columns + at[t] * pixel + i), V(weight[t]));
      sum.store(sums + x * pixel + i);
    }
  }
  for (std::int64_t x = 0; x < out_width; ++x)
    for (int i = 0; i < opencv_rows; ++i) out[i * out_width + x] = sums[x * opencv_rows + i];
}

// The weighted sum of n <= lanes samples of Taps rows from x on, as a sample of type T.
template <int Taps>
MIEN_INLINE void opencv_sum(std::uint8_t* out, const std::int32_t* const rows[Taps],
                            const std::int32_t* weight, std::int64_t x, int n) {
  using V = Vec<std::int32_t>;
  if constexpr (Taps == 2) {  // the coarser arithmetic of OpenCV's 8-bit bilinear
    const V a = ((V::load(rows[0] + x, n) >> 4) * V(weight[0])) >> 16;
    const V b = ((V::load(rows[1] + x, n) >> 4) * V(weight[1])) >> 16;
    ((a + b + V(2)) >> 2).store_clamped(out + x, n);
  } else {
    V sum(1 << (2 * opencv_bits - 1));
#pragma GCC unroll 8
    for (int t = 0; t < Taps; ++t) sum = sum + V::load(rows[t] + x, n) * V(weight[t]);
    (sum >> (2 * opencv_bits)).store_clamped(out + x, n);
  }
}

template <int Taps, class T>
MIEN_INLINE void opencv_sum(T* out, const float* const rows[Taps], const float* weight,
                            std::int64_t x, int n) {
  using V = Vec<float>;
  V sum = product(V::load(rows[0] + x, n), V(weight[0]));
#pragma GCC unroll 8
  for (int t = 1; t < Taps; ++t) sum = sum + product(V::load(rows[t] + x, n), V(weight[t]));
  if constexpr (std::is_same_v<T, float>) {
    sum.store(out + x, n);
  } else {
    float lane[V::lanes];
    min(max(round(sum), V(0.0f)), V(65535.0f)).store(lane);
    for (int i = 0; i < n; ++i) out[x + i] = static_cast<T>(lane[i]);
  }
}

// out (rows, out_width, channels), in (rows, in_width, channels): output rows [begin, end) of a
// pass over both axes. scratch holds the columns of a horizontal block and then (input rows,
// out_width) sums.
template <class T, int Taps, class Acc>
void opencv_band(T* out, const T* in, const OpenCvParams<Acc>& p, Acc* scratch, std::int64_t begin,
                 std::int64_t end) {
  const std::int64_t in_width = p.in_width * p.channels, out_width = p.out_width * p.channels;
  const std::int64_t first = p.y.index[begin * Taps];
  const std::int64_t rows = p.y.index[end * Taps - 1] + 1 - first;
  Acc* sums = scratch + (in_width + out_width) * opencv_rows;
  for (std::int64_t y = 0; y < rows; y += opencv_rows) {
    const T* block[opencv_rows];
    for (int i = 0; i < opencv_rows; ++i)
      block[i] = in + (first + (y + i < rows ? y + i : rows - 1)) * in_width;
    opencv_horizontal<T, Taps>(sums + y * out_width, block, p, scratch);
  }
  constexpr int lanes = Vec<Acc>::lanes;
  for (std::int64_t y = begin; y < end; ++y) {
    const Acc* from[Taps];
    for (int t = 0; t < Taps; ++t) from[t] = sums + (p.y.index[y * Taps + t] - first) * out_width;
    const Acc* weights = p.y.weights + y * Taps;
    T* to = out + y * out_width;
    std::int64_t x = 0;
    for (; x + lanes <= out_width; x += lanes) opencv_sum<Taps>(to, from, weights, x, lanes);
    if (x < out_width) opencv_sum<Taps>(to, from, weights, x, static_cast<int>(out_width - x));
  }
}

}  // namespace mien::kernels::MIEN_ISA
