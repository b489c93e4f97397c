#pragma once
// Products of small matrices by a warp: C (16 x 8, float) += A (16 x k) B (k x 8), where a row of A
// and a column of B hold 32 bytes: k is 16 for f16 and bf16, and 8 for float.
// PTX ISA, "Matrix Fragments for mma.m16n8k16" and "mma.m16n8k8".
//
// Every lane holds pieces of 4 bytes, laid out alike for all types. With g = lane / 4 and
// t = lane % 4:
//
//   a[0]: row g, bytes 4 t of A         a[2]: row g, bytes 16 + 4 t
//   a[1]: row g + 8, bytes 4 t          a[3]: row g + 8, bytes 16 + 4 t
//   b[0]: column g, bytes 4 t of B      b[1]: column g, bytes 16 + 4 t
//   c[0], c[1]: row g, columns 2 t and 2 t + 1;   c[2], c[3]: row g + 8, the same columns
//
// Two policies do the same: MmaPtx on tensor cores, MmaShuffle by shuffles wherever kernels run
// (and MmaExchange on the executor, for speed). A kernel takes one as a template parameter,
// DeviceMma by default.

#include <cstdint>

#include <mien/cuda/intrinsics.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {
namespace dev {

template <class T>
inline constexpr int mma_k = 32 / static_cast<int>(sizeof(T));

// The dot product of the elements in 4 bytes.
template <class T>
MIEN_DEV float dot_word(unsigned a, unsigned b, float sum) {
  if constexpr (sizeof(T) == 4) {
    return fmaf(float_of_bits(a), float_of_bits(b), sum);
  } else {
    float low_a, high_a, low_b, high_b;
    to_floats(low_a, high_a, a, T());
    to_floats(low_b, high_b, b, T());
    return fmaf(high_a, high_b, fmaf(low_a, low_b, sum));
  }
}

struct MmaShuffle {
  template <class T>
  static MIEN_DEV void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    const int lane = static_cast<int>(lane_of_warp()), row = lane / 4 * 4, column = lane % 4 * 8;
    MIEN_UNROLL
    for (int t = 0; t < 4; ++t) {
      const Words upper = __shfl_sync(full_mask, both(a[0], a[2]), row + t);
      const Words lower = __shfl_sync(full_mask, both(a[1], a[3]), row + t);
      const Words left = __shfl_sync(full_mask, both(b[0], b[1]), column + t);
      const Words right = __shfl_sync(full_mask, both(b[0], b[1]), column + 4 + t);
      c[0] = dot<T>(upper, left, c[0]);
      c[1] = dot<T>(upper, right, c[1]);
      c[2] = dot<T>(lower, left, c[2]);
      c[3] = dot<T>(lower, right, c[3]);
    }
  }

  // words[i]: with matrix i made of the 16 bytes at the addresses of lanes 8 i to 8 i + 7, its row
  // g, bytes 4 t. Addresses are multiples of 16, in shared memory.
  static MIEN_DEV void load_rows(unsigned (&words)[4], const void* row) {
    const int lane = static_cast<int>(lane_of_warp());
    const auto address = reinterpret_cast<std::uintptr_t>(row);
    MIEN_UNROLL
    for (int i = 0; i < 4; ++i) {
      const auto from =
          __shfl_sync(full_mask, static_cast<unsigned long long>(address), 8 * i + lane / 4);
      words[i] = reinterpret_cast<const unsigned*>(static_cast<std::uintptr_t>(from))[lane % 4];
    }
  }

 protected:
  using Words = unsigned long long;  // two pieces in one shuffle

  static MIEN_DEV Words both(unsigned low, unsigned high) { return Words{high} << 32 | low; }
  template <class T>
  static MIEN_DEV float dot(Words a, Words b, float sum) {
    sum = dot_word<T>(static_cast<unsigned>(a), static_cast<unsigned>(b), sum);
    return dot_word<T>(static_cast<unsigned>(a >> 32), static_cast<unsigned>(b >> 32), sum);
  }
};

#if MIEN_NVCC

struct MmaPtx {
  template <class T>
  static MIEN_DEV void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    if constexpr (sizeof(T) == 4) {
      // Each factor in two parts of tf32, as its 13 lower bits would be left out otherwise. Only
      // the product of both lower parts is: relative error 2^-21.
      unsigned upper_a[4], lower_a[4], upper_b[2], lower_b[2];
      MIEN_UNROLL
      for (int i = 0; i < 4; ++i) split(upper_a[i], lower_a[i], a[i]);
      MIEN_UNROLL
      for (int i = 0; i < 2; ++i) split(upper_b[i], lower_b[i], b[i]);
      tf32(c, lower_a, upper_b);
      tf32(c, upper_a, lower_b);
      tf32(c, upper_a, upper_b);
    } else if constexpr (std::is_same_v<T, f16>) {
      asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
          "{%8,%9}, "
          "{%0,%1,%2,%3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    } else {
      asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
          "{%8,%9}, {%0,%1,%2,%3};"
          : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
          : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
  }

  // ldmatrix; see MmaShuffle.
  static MIEN_DEV void load_rows(unsigned (&words)[4], const void* row) {
    const auto from = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(from)
                 : "memory");
  }

 private:
  static MIEN_DEV void split(unsigned& upper, unsigned& lower, unsigned value) {
    upper = value & 0xffffe000u;
    lower = bits(float_of_bits(value) - float_of_bits(upper));
  }
  static MIEN_DEV void tf32(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
};
using DeviceMma = MmaPtx;

#else

// What MmaShuffle does, with a quarter of its waiting: the executor hands a lane what all lanes
// bring at once.
struct MmaExchange : MmaShuffle {
  template <class T>
  static void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    const std::size_t lane = lane_of_warp(), row = lane / 4 * 4, column = lane % 4 * 8;
    const auto all = [](Words mine, simt::Where where = simt::Where::current()) {
      return simt::exchange({"MmaExchange", where}, full_mask, mine);
    };
    const auto upper = all(both(a[0], a[2])), lower = all(both(a[1], a[3])),
               columns = all(both(b[0], b[1]));
    for (std::size_t t = 0; t < 4; ++t) {
      c[0] = dot<T>(upper[row + t], columns[column + t], c[0]);
      c[1] = dot<T>(upper[row + t], columns[column + 4 + t], c[1]);
      c[2] = dot<T>(lower[row + t], columns[column + t], c[2]);
      c[3] = dot<T>(lower[row + t], columns[column + 4 + t], c[3]);
    }
  }

  static void load_rows(unsigned (&words)[4], const void* row) {
    const std::size_t lane = lane_of_warp();
    const auto rows = simt::exchange({"MmaExchange", simt::Where::current()}, full_mask,
                                     reinterpret_cast<std::uintptr_t>(row));
    for (std::size_t i = 0; i < 4; ++i)
      words[i] = reinterpret_cast<const unsigned*>(rows[8 * i + lane / 4])[lane % 4];
  }
};
using DeviceMma = MmaExchange;

#endif

}  // namespace dev
}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
