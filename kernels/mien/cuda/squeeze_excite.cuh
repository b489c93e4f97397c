#pragma once
// The kernels of squeeze_excite.hpp.

#include <mien/cuda/rows.hpp>
#include <mien/cuda/squeeze_excite.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

namespace excite {

inline constexpr int network_threads = 512;  // of the one block that an image's network has
inline constexpr int warps = network_threads / dev::warp_size;
inline constexpr int outer_packs = 64;  // of weights in a block, by ...
inline constexpr int outer_images = 4;  // ... so many images at a time

// Whether rows of `columns` elements can be accessed in packs of N.
template <int N, class T>
MIEN_HD bool fits(const T* rows, int columns) {
  return columns % N == 0 && aligned(N * sizeof(T), rows);
}

// Calls f(Width): the widest packs of up to 16 bytes that fit.
template <class T, class F>
MIEN_DEV void with_packs(const T* rows, int columns, const F& f) {
  if constexpr (sizeof(T) == 2)
    if (fits<8>(rows, columns)) return f(dev::Width<8>());
  fits<4>(rows, columns) ? f(dev::Width<4>()) : f(dev::Width<1>());
}

// store(j, bias(j) + sum over i of weight(i) matrix(i, j)), several j at a time, for a matrix
// (rows, columns), by one block, whose threads divide each row among `across` of them. shared:
// pack_width<T> floats for each thread.
template <class T, class Weight, class Store>
MIEN_DEV void sum_rows(const T* matrix, const T* bias, int rows, int columns, float* shared,
                       const Weight& weight, const Store& store) {
  const int thread = static_cast<int>(threadIdx.x);
  with_packs(matrix, columns, [&](auto width) {
    constexpr int n = width;
    for (int first = 0; first < columns; first += network_threads * n) {
      const int packs = (columns - first) / n;
      const int across = packs < network_threads ? packs : network_threads;
      const int row = thread / across, down = network_threads / across;
      const int column = first + thread % across * n;
      dev::Floats<n> sum = {};
      if (row == 0) sum = dev::channel_values<n>(bias, column);
      if (row < down)
        dev::stream_rows<8>(
            row, down, rows,
            [&](std::int64_t i) { return dev::load_bits<n>(matrix + i * columns + column); },
            [&](std::int64_t i, const auto& bits) {
              const auto v = dev::to_floats(bits);
              const float w = weight(static_cast<int>(i));
              MIEN_UNROLL
              for (int k = 0; k < n; ++k) sum[k] = fmaf(w, v[k], sum[k]);
            });
      dev::merge_rows(sum, across, shared, dev::add<n>);
      if (row == 0) store(column, sum, width);
    }
  });
  __syncthreads();  // what was stored is there
}

// The sum over j of row(j) vector(j) of a row of `columns` elements in packs of N, of those from
// `first` on, `step` apart.
template <int N, class T>
MIEN_DEV float dot(const T* row, const float* vector, int first, int step, int columns) {
  float sum = 0;
  dev::stream_rows<4>(
      first, step, columns / N, [&](std::int64_t i) { return dev::load_bits<N>(row + i * N); },
      [&](std::int64_t i, const auto& bits) {
        const auto v = dev::to_floats(bits);
        MIEN_UNROLL
        for (int k = 0; k < N; ++k) sum = fmaf(v[k], vector[i * N + k], sum);
      });
  return sum;
}

// Both matrices on their way to the L2 cache, from where each image's block reads them: from cold
// memory every one of its steps would wait for its own.
template <class T>
MIEN_DEV void prefetch_matrices(const SqueezeExciteWeights<T>& weights,
                                const SqueezeExciteParams& p) {
  constexpr int sector_pair = 64 / static_cast<int>(sizeof(T));  // what one access brings there
  for (int i = static_cast<int>(threadIdx.x) * sector_pair; i < p.c * p.r;
       i += network_threads * sector_pair) {
    dev::prefetch_l2(weights.w1 + i);
    dev::prefetch_l2(weights.w2 + i);
  }
}

}  // namespace excite

// Sums of x, or of x times `other` where there is one. Grid and block of a RowBlock.
template <int N, bool Dots, class T>
MIEN_KERNEL(row_threads, 2)
void squeeze_excite_sums_kernel(float* partial, const T* x, const T* other, SqueezeExciteParams p) {
  MIEN_SHARED(float, shared, [N * row_threads]);
  const int channel = dev::first_channel<N>();
  const std::int64_t image = std::int64_t{blockIdx.z} * p.pixels * p.c + channel;
  dev::Floats<N> sum = {};
  if (channel < p.c) {
    const auto load = [&](std::int64_t pixel) {
      const std::int64_t at = image + pixel * p.c;
      if constexpr (Dots)
        return dev::load_pair<N>(x + at, other + at);
      else
        return dev::load_bits<N>(x + at);
    };
    dev::stream_rows<Dots ? 4 : 8>(p.pixels, load, [&](std::int64_t, const auto& bits) {
      if constexpr (Dots) {
        const auto a = dev::to_floats(bits.a), b = dev::to_floats(bits.b);
        MIEN_UNROLL
        for (int k = 0; k < N; ++k) sum[k] = fmaf(a[k], b[k], sum[k]);
      } else {
        dev::add(sum, dev::to_floats(bits));
      }
    });
  }
  dev::merge_rows(sum, static_cast<int>(blockDim.x), shared, dev::add<N>);
  if (threadIdx.y == 0 && channel < p.c)
    dev::store(partial + (std::int64_t{blockIdx.z} * gridDim.x + blockIdx.x) * p.c + channel, sum);
}

// One block an image. Dynamic shared memory: sum_rows', then c + r floats.
template <class T>
MIEN_KERNEL(excite::network_threads, 1)
void squeeze_excite_gates_kernel(float* gates, SqueezeExciteKept kept, const float* partial,
                                 int shares, SqueezeExciteWeights<T> weights,
                                 SqueezeExciteParams p) {
  MIEN_DYN_SHARED(float, shared);
  float* const mean = shared + pack_width<T> * excite::network_threads;
  float* const hidden = mean + p.c;
  const std::int64_t image = blockIdx.x;
  const float share = 1.0f / static_cast<float>(p.pixels);
  excite::prefetch_matrices(weights, p);
  excite::sum_rows<float>(
      partial + image * shares * p.c, nullptr, shares, p.c, shared, [](int) { return 1.0f; },
      [&](int j, const auto& sum, auto width) {
        for (int k = 0; k < width; ++k) {
          mean[j + k] = sum[k] * share;
          if (kept.mean != nullptr) kept.mean[image * p.c + j + k] = mean[j + k];
        }
      });
  excite::sum_rows(
      weights.w1, weights.b1, p.c, p.r, shared, [&](int i) { return mean[i]; },
      [&](int j, const auto& z, auto width) {
        for (int k = 0; k < width; ++k) {
          hidden[j + k] = dev::silu(z[k]);
          if (kept.z != nullptr) kept.z[image * p.r + j + k] = z[k];
        }
      });
  excite::sum_rows(
      weights.w2, weights.b2, p.r, p.c, shared, [&](int i) { return hidden[i]; },
      [&](int j, const auto& z, auto width) {
        for (int k = 0; k < width; ++k) gates[image * p.c + j + k] = dev::logistic(z[k]);
      });
}

// y = x gates + offset (null: 0). Grid and block of a RowBlock.
template <int N, class T>
MIEN_KERNEL(row_threads)
void squeeze_excite_scale_kernel(T* y, const T* x, const float* gates, const float* offset,
                                 SqueezeExciteParams p) {
  const int channel = dev::first_channel<N>();
  if (channel >= p.c) return;
  const std::int64_t image = blockIdx.z, first = image * p.pixels * p.c + channel;
  const auto load = [&](std::int64_t pixel) { return dev::load_bits<N>(x + first + pixel * p.c); };
  auto loads = dev::start_rows<8>(p.pixels, load);
  const auto scale = dev::channel_values<N>(gates + image * p.c, channel);
  const auto shift =
      dev::channel_values<N>(offset != nullptr ? offset + image * p.c : nullptr, channel);
  loads.use([&](std::int64_t pixel, const auto& bits) {
    auto v = dev::to_floats(bits);
    MIEN_UNROLL
    for (int k = 0; k < N; ++k) v[k] = fmaf(v[k], scale[k], shift[k]);
    dev::store(y + first + pixel * p.c, v);
  });
}

// The gradients at the arguments of both activations, and at the means. One block an image, with
// shared memory as above.
template <class T>
MIEN_KERNEL(excite::network_threads, 1)
void squeeze_excite_gates_backward_kernel(float* dmean, SqueezeExciteWorkspace to,
                                          const float* partial, int shares, const float* gates,
                                          SqueezeExciteKept kept, SqueezeExciteWeights<T> weights,
                                          SqueezeExciteParams p) {
  MIEN_DYN_SHARED(float, shared);
  float* const dgate = shared + pack_width<T> * excite::network_threads;
  float* const dz = dgate + p.c;
  const std::int64_t image = blockIdx.x;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % dev::warp_size;
  excite::prefetch_matrices(weights, p);
  excite::sum_rows<float>(
      partial + image * shares * p.c, nullptr, shares, p.c, shared, [](int) { return 1.0f; },
      [&](int j, const auto& sum, auto width) {
        const auto g = dev::channel_values<width>(gates + image * p.c, j);
        for (int k = 0; k < width; ++k) {
          dgate[j + k] = sum[k] * g[k] * (1.0f - g[k]);
          to.gate[image * p.c + j + k] = dgate[j + k];
        }
      });
  excite::with_packs(weights.w2, p.c, [&](auto width) {
    for (int j = thread / dev::warp_size; j < p.r; j += excite::warps) {
      const float part =
          excite::dot<width>(weights.w2 + std::int64_t{j} * p.c, dgate, lane, dev::warp_size, p.c);
      const float dh = dev::warp_sum(part);
      if (lane != 0) continue;
      const float z = kept.z[image * p.r + j];
      dz[j] = dev::silu_gradient(dh, z);
      to.z[image * p.r + j] = dz[j];
      to.h[image * p.r + j] = dev::silu(z);
    }
  });
  __syncthreads();
  const float share = 1.0f / static_cast<float>(p.pixels);
  excite::with_packs(weights.w1, p.r, [&](auto width) {
    for (int j = thread; j < p.c; j += excite::network_threads)
      dmean[image * p.c + j] =
          share * excite::dot<width>(weights.w1 + std::int64_t{j} * p.r, dz, 0, 1, p.r);
  });
}

namespace excite {

// dw(i, j) = sum over images of left(image, i) right(image, j), (rows, columns), and db(j) = that
// of right(image, j). A block takes outer_packs packs of columns.
MIEN_DEV inline void outer_products(float* dw, float* db, const float* left, const float* right,
                                    int rows, int columns, int images, float* shared) {
  with_packs(right, columns, [&](auto width) {
    constexpr int n = width;
    struct Loaded {
      float left;
      dev::Bits<float, n> right;
    };
    const int packs = columns / n;
    const int pack = static_cast<int>(blockIdx.x * outer_packs + threadIdx.x);
    const int i = pack / packs, j = pack % packs * n;  // row `rows` is that of the biases
    dev::Floats<n> sum = {};
    if (i <= rows)
      dev::stream_rows<8>(
          threadIdx.y, blockDim.y, images,
          [&](std::int64_t image) {
            return Loaded{i < rows ? left[image * rows + i] : 1.0f,
                          dev::load_bits<n>(right + image * columns + j)};
          },
          [&](std::int64_t, const Loaded& v) {
            const auto of_right = dev::to_floats(v.right);
            MIEN_UNROLL
            for (int k = 0; k < n; ++k) sum[k] = fmaf(v.left, of_right[k], sum[k]);
          });
    dev::merge_rows(sum, outer_packs, shared, dev::add<n>);
    if (threadIdx.y != 0 || i > rows) return;
    float* const to = i < rows ? dw + std::int64_t{i} * columns + j : db + j;
    MIEN_UNROLL
    for (int k = 0; k < n; ++k) to[k] = sum[k];
  });
}

}  // namespace excite

// Grid: (packs of the larger matrix / outer_packs, 2), the first layer and the second.
template <int Images>
MIEN_KERNEL(excite::outer_packs* Images)
void squeeze_excite_weight_grad_kernel(SqueezeExciteGradients dw, SqueezeExciteWorkspace of,
                                       const float* mean, SqueezeExciteParams p) {
  MIEN_SHARED(float, shared, [4 * excite::outer_packs * Images]);
  if (blockIdx.y == 0)
    excite::outer_products(dw.w1, dw.b1, mean, of.z, p.c, p.r, p.n, shared);
  else
    excite::outer_products(dw.w2, dw.b2, of.h, of.gate, p.r, p.c, p.n, shared);
}

// --- launchers ----------------------------------------------------------------------------------

namespace excite {

inline bool nothing(const SqueezeExciteParams& p) { return p.n == 0 || p.pixels == 0 || p.c == 0; }

template <class T>
cuda::LaunchShape network_shape(const SqueezeExciteParams& p, cuda::Stream stream) {
  const int floats = pack_width<T> * network_threads + p.c + p.r;
  return {.grid = static_cast<unsigned>(p.n),
          .block = network_threads,
          .dynamic_shared_bytes = static_cast<std::size_t>(floats) * sizeof(float),
          .stream = stream};
}

template <bool Dots, class T>
void sums(Cuda device, float* partial, const T* x, const T* other, const SqueezeExciteParams& p) {
  if (nothing(p)) return;
  check(aligned(32, partial), "squeeze_excite", "expected partial sums aligned to 32 bytes");
  with_width<pack_width<T>>(pack_aligned_rows(p.c, x, other), [&](auto width) {
    cuda::launch(squeeze_excite_sums_kernel<width, Dots, T>,
                 RowBlock::of<width, T>(p.c).for_rows(p.pixels).shape(squeeze_excite_shares(p), p.n,
                                                                      device.stream),
                 partial, x, other, p);
  });
}

template <class T>
void scale(Cuda device, T* y, const T* x, const float* gates, const float* offset,
           const SqueezeExciteParams& p) {
  if (nothing(p)) return;
  with_width<pack_width<T>>(pack_aligned_rows(p.c, y, x), [&](auto width) {
    const auto block = RowBlock::of<width, T>(p.c).for_rows(p.pixels);
    cuda::launch(squeeze_excite_scale_kernel<width, T>,
                 block.shape(block.pass_shares(p.pixels, p.n), p.n, device.stream), y, x, gates,
                 offset, p);
  });
}

}  // namespace excite

template <Storage T>
void squeeze_excite_sums(Cuda device, float* partial, const T* x, const SqueezeExciteParams& p) {
  excite::sums<false>(device, partial, x, static_cast<const T*>(nullptr), p);
}

template <Storage T>
void squeeze_excite_gates(Cuda device, float* gates, const SqueezeExciteKept& kept,
                          const float* partial, int shares, const SqueezeExciteWeights<T>& weights,
                          const SqueezeExciteParams& p) {
  if (excite::nothing(p)) return;
  cuda::launch(squeeze_excite_gates_kernel<T>, excite::network_shape<T>(p, device.stream), gates,
               kept, partial, shares, weights, p);
}

template <Storage T>
void squeeze_excite_scale(Cuda device, T* y, const T* x, const float* gates,
                          const SqueezeExciteParams& p) {
  excite::scale(device, y, x, gates, nullptr, p);
}

template <Storage T>
void squeeze_excite_dots(Cuda device, float* partial, const T* dy, const T* x,
                         const SqueezeExciteParams& p) {
  excite::sums<true>(device, partial, dy, x, p);
}

template <Storage T>
void squeeze_excite_gates_backward(Cuda device, float* dmean, const SqueezeExciteGradients& dw,
                                   const SqueezeExciteWorkspace& workspace, const float* partial,
                                   int shares, const float* gates, const SqueezeExciteKept& kept,
                                   const SqueezeExciteWeights<T>& weights,
                                   const SqueezeExciteParams& p) {
  if (excite::nothing(p)) return;
  cuda::launch(squeeze_excite_gates_backward_kernel<T>, excite::network_shape<T>(p, device.stream),
               dmean, workspace, partial, shares, gates, kept, weights, p);
  const auto packs = [](std::int64_t rows, int columns, const float* right) {
    return (rows + 1) * (excite::fits<4>(right, columns) ? columns / 4 : columns);
  };
  const auto of_w1 = packs(p.c, p.r, workspace.z), of_w2 = packs(p.r, p.c, workspace.gate);
  cuda::launch(squeeze_excite_weight_grad_kernel<excite::outer_images>,
               {.grid = {ceil_div(of_w1 > of_w2 ? of_w1 : of_w2, excite::outer_packs), 2},
                .block = {excite::outer_packs, excite::outer_images},
                .stream = device.stream},
               dw, workspace, kept.mean, p);
}

template <Storage T>
void squeeze_excite_scale_backward(Cuda device, T* dx, const T* dy, const float* gates,
                                   const float* dmean, const SqueezeExciteParams& p) {
  excite::scale(device, dx, dy, gates, dmean, p);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
