#pragma once
// Device functions under kernels: the GPU's special functions, and sums over warps, blocks and
// grids. The executor computes the special functions exactly rounded or nearly so; the GPU's errors
// stand beside them.

#include <bit>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include <mien/core/float16.hpp>
#include <mien/cuda/macros.hpp>

#if MIEN_NVCC
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace mien::kernels {

#if !MIEN_NVCC
// CUDA's names, for kernels alone: the global namespace stays clean.
using simt::__ballot_sync, simt::__any_sync, simt::__all_sync;
using simt::__reduce_add_sync, simt::__reduce_min_sync, simt::__reduce_max_sync;
using simt::__reduce_and_sync, simt::__reduce_or_sync, simt::__reduce_xor_sync;
using simt::__shfl_sync, simt::__shfl_up_sync, simt::__shfl_down_sync, simt::__shfl_xor_sync;
using simt::__syncthreads, simt::__syncwarp, simt::__threadfence, simt::__threadfence_block;
using simt::atomicAdd, simt::atomicCAS, simt::atomicExch, simt::atomicMax, simt::atomicMin;
using simt::threadIdx, simt::blockIdx, simt::blockDim, simt::gridDim;
#endif

inline namespace MIEN_CUDA_BUILD {

namespace dev {

inline constexpr int warp_size = 32;
inline constexpr unsigned full_mask = 0xffffffffu;

#if MIEN_NVCC

// MUFU.EX2 after a multiplication: relative error 2^-21 for |x| < 1, growing with |x|. Results
// under 2^-126 are zero: __expf() spends three more instructions on them.
MIEN_DEV inline float exp(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x * 1.442695041f));
  return y;
}
// MUFU.RSQ, relative error 2^-22.
MIEN_DEV inline float rsqrt(float x) { return ::rsqrtf(x); }
// MUFU.RCP and a multiplication, 2 units in the last place for 2^-126 < |b| < 2^126; three more
// instructions where b may be subnormal as far as the compiler knows.
MIEN_DEV inline float divide(float a, float b) { return __fdividef(a, b); }
// Through the read-only cache: for memory that nobody writes while the kernel runs.
template <class T>
MIEN_DEV T ldg(const T* address) {
  return __ldg(address);
}

MIEN_DEV inline float to_float(float x) { return x; }
MIEN_DEV inline float to_float(f16 x) { return __half2float(__ushort_as_half(x.bits)); }
MIEN_DEV inline float to_float(bf16 x) { return __uint_as_float(unsigned{x.bits} << 16); }

MIEN_DEV inline void from_float(float& to, float x) { to = x; }
MIEN_DEV inline void from_float(f16& to, float x) {
  to.bits = __half_as_ushort(__float2half_rn(x));
}
MIEN_DEV inline void from_float(bf16& to, float x) {
  to.bits = __bfloat16_as_ushort(__float2bfloat16_rn(x));
}

// Both elements of a pair as it lies in memory, in two instructions. In assembly for bf16, because
// nvcc takes such a pair apart first.
MIEN_DEV inline void to_floats(float& low, float& high, unsigned pair, bf16) {
  asm("{shl.b32 %0, %2, 16; and.b32 %1, %2, 0xffff0000;}" : "=f"(low), "=f"(high) : "r"(pair));
}
MIEN_DEV inline void to_floats(float& low, float& high, unsigned pair, f16) {
  const float2 both = __half22float2(reinterpret_cast<const __half2&>(pair));
  low = both.x;
  high = both.y;
}
// The pair of two floats rounded to bf16 or f16, in one instruction.
MIEN_DEV inline unsigned to_pair(float low, float high, bf16) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return reinterpret_cast<const unsigned&>(pair);
}
MIEN_DEV inline unsigned to_pair(float low, float high, f16) {
  const __half2 pair = __floats2half2_rn(low, high);
  return reinterpret_cast<const unsigned&>(pair);
}
// The products of two pairs, each rounded once, in one instruction; that of bf16 adds -0.
MIEN_DEV inline unsigned multiply_pairs(unsigned a, unsigned b, bf16) {
  unsigned product;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(product) : "r"(a), "r"(b), "r"(0x80008000u));
  return product;
}
MIEN_DEV inline unsigned multiply_pairs(unsigned a, unsigned b, f16) {
  unsigned product;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
  return product;
}

// The pointer `i` times `bytes` further. Where threads may differ in `bytes`, as far as the
// compiler knows, this is one IMAD.WIDE; with a number common to all it would be three
// instructions.
template <class T>
MIEN_DEV T* offset(T* pointer, unsigned i, unsigned bytes) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  unsigned long long distance;
  asm("mul.wide.u32 %0, %1, %2;" : "=l"(distance) : "r"(bytes), "r"(i));
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(pointer) + distance);
}

// Orders this thread's accesses to global memory, and those it saw through barriers, before it with
// those behind it, for all blocks. __threadfence() also orders fences among each other, and waits
// longer.
MIEN_DEV inline void fence() { asm volatile("fence.acq_rel.gpu;" ::: "memory"); }
// Asks for what lies at an address, for the second-level cache, and waits for nothing.
MIEN_DEV inline void prefetch_l2(const void* address) {
  asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
}

MIEN_DEV inline unsigned bits(float x) { return __float_as_uint(x); }
MIEN_DEV inline float float_of_bits(unsigned x) { return __uint_as_float(x); }

#else

inline float exp(float x) { return std::exp(x); }
inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
inline float divide(float a, float b) { return a / b; }
template <class T>
T ldg(const T* address) {
  return *address;
}

template <class T>
float to_float(T x) {
  return static_cast<float>(x);
}
template <class T>
void from_float(T& to, float x) {
  to = static_cast<T>(x);
}

template <class T>
void to_floats(float& low, float& high, unsigned pair, T) {
  T of_low, of_high;
  of_low.bits = static_cast<std::uint16_t>(pair);
  of_high.bits = static_cast<std::uint16_t>(pair >> 16);
  low = to_float(of_low);
  high = to_float(of_high);
}
template <class T>
unsigned to_pair(float low, float high, T) {
  return T(low).bits | static_cast<unsigned>(T(high).bits) << 16;
}
template <class T>
unsigned multiply_pairs(unsigned a, unsigned b, T) {
  float low_a, high_a, low_b, high_b;
  to_floats(low_a, high_a, a, T());
  to_floats(low_b, high_b, b, T());
  return to_pair(low_a * low_b, high_a * high_b, T());
}

template <class T>
T* offset(T* pointer, unsigned i, unsigned bytes) {
  using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(pointer) + std::size_t{i} * bytes);
}

inline void fence() { __threadfence(); }
inline void prefetch_l2(const void*) {}

inline unsigned bits(float x) { return std::bit_cast<unsigned>(x); }
inline float float_of_bits(unsigned x) { return std::bit_cast<float>(x); }

#endif

// Of blocks of whole warps.
MIEN_DEV inline unsigned thread_of_block() {
  return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
}
MIEN_DEV inline unsigned lane_of_warp() { return thread_of_block() % warp_size; }

// 1 / x for x from 2^-125 to 2^125, to one unit in the last place, without the special-function
// unit, which takes eight multiply-adds' time for one element. Subtracting the bits of x from a
// constant gives r = 1/x to within 5.1 %; with e = 1 - x r, r + r e + r e^2 cubes the error
// (1.3e-4) and r + r e squares it.
MIEN_DEV inline float reciprocal(float x) {
  float r = float_of_bits(0x7ef311c7u - bits(x));
  const float e = fmaf(-x, r, 1.0f);
  r = fmaf(r, fmaf(e, e, e), r);
  return fmaf(r, fmaf(-x, r, 1.0f), r);
}

// 1 / (1 + exp(-x)) in two ways, with the error of exp. sigmoid calls the special-function unit
// once and takes twelve instructions: for swish, which does nothing else. logistic calls it twice,
// but takes four instructions: for all that compute more, where issue slots are scarcer. Below -86
// sigmoid stays at 4.5e-38: there the reciprocal would leave the normal numbers.
MIEN_DEV inline float sigmoid(float x) { return reciprocal(1.0f + exp(x < -86.0f ? 86.0f : -x)); }
MIEN_DEV inline float logistic(float x) { return divide(1.0f, 1.0f + exp(-x)); }

// x logistic(x), and its derivative times dy.
MIEN_DEV inline float silu(float x) { return x * logistic(x); }
MIEN_DEV inline float silu_gradient(float dy, float x) {
  const float s = logistic(x);
  return dy * s * fmaf(x, 1.0f - s, 1.0f);
}

// The sum over the lanes of a full warp, the same bits in every lane.
MIEN_DEV inline float warp_sum(float x) {
  MIEN_UNROLL
  for (int step = warp_size / 2; step > 0; step /= 2) x += __shfl_xor_sync(full_mask, x, step);
  return x;
}

// The sum over a block of whole warps, the same bits in every thread. All threads must call it.
MIEN_DEV inline float block_sum(float x) {
  MIEN_SHARED(float, sums, [warp_size]);
  const unsigned thread = thread_of_block(), lane = thread % warp_size;
  const unsigned warps = blockDim.x * blockDim.y * blockDim.z / warp_size;
  x = warp_sum(x);
  if (lane == 0) sums[thread / warp_size] = x;
  __syncthreads();
  x = warp_sum(lane < warps ? sums[lane] : 0.0f);
  __syncthreads();  // the next call writes the sums anew
  return x;
}

// Whether this block is the last of gridDim.x blocks to come here: it then sees what all of them
// wrote before. `blocks_done` is zero before the launch, and again after it. All threads of the
// block must call it. A block that is alone neither counts nor waits for memory.
MIEN_DEV inline bool is_last_block(unsigned* blocks_done) {
  MIEN_SHARED(unsigned, before, [1]);
  __syncthreads();  // all threads have written
  if (gridDim.x == 1) return true;
  if (thread_of_block() == 0) {
    fence();  // what was written is there before the block is counted
    before[0] = atomicAdd(blocks_done, 1u);
    if (before[0] + 1 == gridDim.x) {
      fence();  // for all threads, which read behind the barrier
      *blocks_done = 0;
    }
  }
  __syncthreads();
  return before[0] + 1 == gridDim.x;
}

// For the beginning of kernels that end with is_last_block or grid_sum: fetches the counter, and
// what lies around this block's partial sum, each of which takes 0.5 us from cold memory.
MIEN_DEV inline void prepare_last_block(const unsigned* blocks_done,
                                        const void* partial = nullptr) {
  if (gridDim.x == 1 || thread_of_block() != 0) return;
  prefetch_l2(blocks_done);
  if (partial != nullptr) prefetch_l2(partial);
}

// x becomes its sum over all threads of a grid, the same bits in every run, in the block that comes
// last, for which this returns true. partial (gridDim.x). All threads must call it; grid and blocks
// are along x.
MIEN_DEV inline bool grid_sum(float& x, float* partial, unsigned* blocks_done) {
  x = block_sum(x);
  if (gridDim.x == 1) return true;
  if (threadIdx.x == 0) partial[blockIdx.x] = x;
  if (!is_last_block(blocks_done)) return false;
  x = 0;
  for (unsigned i = threadIdx.x; i < gridDim.x; i += blockDim.x) x += partial[i];
  x = block_sum(x);
  return true;
}

}  // namespace dev
}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
