#pragma once
// Elementwise kernels in packs of 16 bytes: one thread loads, computes and stores one pack, and the
// last ones, if any, element by element.

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <mien/cuda/intrinsics.hpp>
#include <mien/cuda/launch.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

template <class T, int N>
struct alignas(sizeof(T) * N) Packed {
  T values[N];
};

// Elements of one 16-byte access.
template <class T>
inline constexpr int pack_width = 16 / static_cast<int>(sizeof(T));

namespace dev {

template <int N>
struct Floats {
  float values[N];
  MIEN_DEV float& operator[](int i) { return values[i]; }
  MIEN_DEV float operator[](int i) const { return values[i]; }
};

// A number known at compile time that is passed as an argument; std::integral_constant converts in
// host code alone.
template <int N>
struct Width {
  MIEN_HD constexpr operator int() const { return N; }
};

// N elements as one access moves them. On a GPU those of 16 bits stay in pairs: nvcc converts a
// pair in two instructions, and halves that it took apart in five.
template <class T, int N>
struct Bits {
  static constexpr bool pairs = MIEN_NVCC && sizeof(T) == 2 && N % 2 == 0;
  using Word = std::conditional_t<pairs, unsigned, T>;
  Packed<Word, pairs ? N / 2 : N> words;
};

template <int N, class T>
MIEN_DEV Bits<T, N> load_bits(const T* from) {
  return *reinterpret_cast<const Bits<T, N>*>(from);
}

template <class T, int N>
MIEN_DEV Floats<N> to_floats(const Bits<T, N>& bits) {
  Floats<N> to;
  MIEN_UNROLL
  for (int i = 0; i < N; ++i) {
    if constexpr (!Bits<T, N>::pairs)
      to[i] = to_float(bits.words.values[i]);
    else if (i % 2 == 0)
      to_floats(to[i], to[i + 1], bits.words.values[i / 2], T());
  }
  return to;
}

// N elements from an address that is a multiple of their size, in one access.
template <int N, class T>
MIEN_DEV Floats<N> load(const T* from) {
  return to_floats(load_bits<N>(from));
}

template <int N, class T>
MIEN_DEV void store(T* to, const Floats<N>& from) {
  Bits<T, N> bits;
  MIEN_UNROLL
  for (int i = 0; i < N; ++i) {
    if constexpr (!Bits<T, N>::pairs)
      from_float(bits.words.values[i], from[i]);
    else if (i % 2 == 0)
      bits.words.values[i / 2] = to_pair(from[i], from[i + 1], T());
  }
  *reinterpret_cast<Bits<T, N>*>(to) = bits;
}

// Calls f(i, width) for this thread's share of n elements in packs of N: once with width N (a
// Width), or for the n % N last elements with width 1 each.
template <int N, class F>
MIEN_DEV void for_each_pack(std::int64_t n, const F& f) {
  std::int64_t i = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * N;
  if (i + N <= n) {
    f(i, Width<N>());
  } else {
    for (; i < n; ++i) f(i, Width<1>());
  }
}

}  // namespace dev

inline constexpr int pack_threads = 256;  // eight blocks fill an SM

// The launch under for_each_pack: one pack of `width` elements a thread. Expects n > 0.
inline cuda::LaunchShape packs_shape(std::int64_t n, int width, cuda::Stream stream) {
  return {.grid = ceil_div(n, std::int64_t{width} * pack_threads),
          .block = pack_threads,
          .stream = stream};
}

// Whether all of these are multiples of `bytes`, a power of two; null is.
template <class... T>
MIEN_HD bool aligned(std::size_t bytes, const T*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) | ...) & (bytes - 1)) == 0;
}

// Whether all of these arrays can be accessed in packs of 16 bytes, and in such of each row where
// rows of c elements lie one behind another.
template <class... T>
bool pack_aligned(const T*... pointers) {
  return aligned(16, pointers...);
}
template <class... T>
bool pack_aligned_rows(int c, const T*... rows) {
  return ((c % pack_width<T> == 0) && ...) && pack_aligned(rows...);
}

// Calls f(Width): N elements where accesses can be of so many, else 1.
template <int N, class F>
void with_width(bool packs, const F& f) {
  packs ? f(dev::Width<N>()) : f(dev::Width<1>());
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
