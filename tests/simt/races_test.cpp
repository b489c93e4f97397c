// ThreadSanitizer as CUDA's race checker: each bug is reported, and correct kernels pass in silence
// (a report ends the program).

#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <vector>

#include <mien/cuda/intrinsics.hpp>
#include <simt/sanitizer_reports.hpp>
#include <support/backend.hpp>

namespace mien::simt {
namespace {

using test::Buffer, test::each_schedule, test::expect_report, test::Sanitizer;

constexpr unsigned threads = 64;

// Runs kernel(int* out, int variant) with an array of 256 zeros.
void run(void (*kernel)(int*, int), int variant, dim3 grid = 1) {
  Buffer<int> out(std::vector<int>(256));
  cuda::launch(kernel, {.grid = grid, .block = threads}, out.data(), variant);
}

enum Variant { sound, broken };

void read_after_write(int* out, int variant) {
  MIEN_SHARED(int, tile, [threads]);
  tile[threadIdx.x] = 1;
  if (variant == sound) __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x ^ 1];
}

void write_after_read(int* out, int variant) {
  MIEN_SHARED(int, tile, [threads]);
  tile[threadIdx.x] = 1;
  __syncthreads();
  out[threadIdx.x] = tile[(threadIdx.x + 1) % threads];
  if (variant == sound) __syncthreads();
  tile[threadIdx.x] = 2;
}

// A shuffle brings the lanes together, but does not order what they wrote.
void shuffle_as_barrier(int* out, int variant) {
  MIEN_SHARED(int, tile, [threads]);
  tile[threadIdx.x] = 1;
  if (variant == sound)
    __syncwarp();
  else
    __shfl_xor_sync(full_mask, 1, 1);
  out[threadIdx.x] = tile[threadIdx.x ^ 1];
}

// As above after many barriers and shuffles, whose tokens must not order anything later.
void shuffle_as_barrier_late(int* out, int variant) {
  for (int round = 0; round < 20; ++round) {
    __syncthreads();
    __syncwarp();
    __any_sync(full_mask, round);
  }
  shuffle_as_barrier(out, variant);
}

// __syncwarp orders the lanes of its mask alone.
void another_half(int* out, int variant) {
  MIEN_SHARED(int, tile, [threads]);
  tile[threadIdx.x] = 1;
  __syncwarp(threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u);
  out[threadIdx.x] = tile[threadIdx.x ^ (variant == sound ? 8 : 16)];
}

void same_word(int* out, int variant) {
  if (variant == broken || threadIdx.x == 0) *out = 1;
}

void same_word_atomically(int* out, int variant) {
  if (variant == sound)
    atomicAdd(out, 1);
  else
    *out += 1;
}

// Blocks are unordered, and a barrier does not change that.
void same_word_by_blocks(int* out, int variant) {
  __syncthreads();
  if (threadIdx.x == 0) out[variant == sound ? blockIdx.x : 0] = 1;
  __syncthreads();
}

void read_of_another_block(int* out, int variant) {
  const unsigned self = blockIdx.x * threads + threadIdx.x;
  out[self] = 1;
  __syncthreads();
  const unsigned other = variant == sound ? self ^ 1u : (self + threads) % (2 * threads);
  out[128 + self] = out[other];
}

// The last block to arrive, told by an atomic counter, reads what all wrote.
void last_block_sums(int* out, int variant) {
  MIEN_SHARED(bool, last, );
  if (threadIdx.x == 0) out[1 + blockIdx.x] = 1;
  if (threadIdx.x == 0) {
    __threadfence();
    last = variant == sound ? atomicAdd(out, 1) == static_cast<int>(gridDim.x) - 1
                            : blockIdx.x == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x < gridDim.x) out[100 + threadIdx.x] = out[1 + threadIdx.x];
}

struct Case {
  const char* name;
  void (*kernel)(int*, int);
  unsigned blocks;
};

class RacesTest : public testing::TestWithParam<Case> {};

TEST_P(RacesTest, TheSoundKernelPassesInSilence) {
  each_schedule([] { run(GetParam().kernel, sound, GetParam().blocks); });
}

TEST_P(RacesTest, TheBugIsReported) {
  expect_report(Sanitizer::thread, "data race",
                [] { run(GetParam().kernel, broken, GetParam().blocks); });
}

INSTANTIATE_TEST_SUITE_P(
    All, RacesTest,
    testing::Values(Case{"read_after_write", read_after_write, 1},
                    Case{"write_after_read", write_after_read, 1},
                    Case{"shuffle_as_barrier", shuffle_as_barrier, 1},
                    Case{"shuffle_as_barrier_late", shuffle_as_barrier_late, 1},
                    Case{"another_half", another_half, 1}, Case{"same_word", same_word, 1},
                    Case{"same_word_atomically", same_word_atomically, 1},
                    Case{"same_word_by_blocks", same_word_by_blocks, 4},
                    Case{"read_of_another_block", read_of_another_block, 2},
                    Case{"last_block_sums", last_block_sums, 4}),
    [](const auto& info) { return info.param.name; });

// Blocks reuse stacks and shared memory; that is no race between them.
TEST(RacesTest, ManyBlocksOfASoundKernel) {
  const auto kernel = +[](float* sums) {
    float local[8];
    for (unsigned i = 0; i < 8; ++i) local[(i + threadIdx.x) % 8] = static_cast<float>(i);
    const float sum = kernels::dev::block_sum(local[threadIdx.x % 8]);
    if (threadIdx.x == 0) sums[blockIdx.x] = sum;
  };
  each_schedule([&] {
    Buffer<float> sums(100);
    cuda::launch(kernel, {.grid = 100, .block = threads}, sums.data());
    EXPECT_EQ(sums.read(), std::vector<float>(100, 0.0f + sums.read()[0]));
  });
}

}  // namespace
}  // namespace mien::simt
