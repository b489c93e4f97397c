// Accesses out of bounds and misaligned ones, found by AddressSanitizer and
// UndefinedBehaviorSanitizer in shared and in global memory.

#include <gtest/gtest.h>
#include <mien/cuda/launch.hpp>

#include <mien/cuda/packed.hpp>
#include <simt/sanitizer_reports.hpp>
#include <support/backend.hpp>

namespace mien::simt {
namespace {

using test::Buffer, test::expect_report, test::Sanitizer;

constexpr unsigned threads = 64;

// Each kernel has one error for index `last` = 64, none for 63.
void static_shared(unsigned last) {
  MIEN_SHARED(float, tile, [threads]);
  float* const elements = tile;  // UndefinedBehaviorSanitizer knows the bounds of arrays alone
  if (threadIdx.x == 0) elements[last] = 1;
}

void static_shared_before(unsigned last) {
  MIEN_SHARED(float, tile, [threads]);
  if (threadIdx.x == 0) *(tile + 63 - last) = 1;
}

void dynamic_shared_array(unsigned last) {
  MIEN_DYN_SHARED(float, tile);
  if (threadIdx.x == 0) tile[last] = 1;
}

void global_read(float* to, const float* from, unsigned last) {
  if (threadIdx.x == 0) *to = from[last];
}

void vector_load(float* to, const float* from, unsigned offset) {
  const auto v = kernels::dev::load<4>(from + offset);
  if (threadIdx.x == 0) *to = v[0];
}

void after_the_block(float** kept, unsigned last) {
  MIEN_SHARED(float, tile, [threads]);
  if (blockIdx.x == 0) *kept = tile;
  if (blockIdx.x == 1 && last == 64) (*kept)[0] = 1;
}

void run_static_shared(unsigned last) { cuda::launch(static_shared, {.block = threads}, last); }
void run_static_shared_before(unsigned last) {
  cuda::launch(static_shared_before, {.block = threads}, last);
}
void run_dynamic_shared(unsigned last) {
  cuda::launch(dynamic_shared_array,
               {.block = threads, .dynamic_shared_bytes = threads * sizeof(float)}, last);
}
void run_global(unsigned last) {
  Buffer<float> to(1), from(threads);
  cuda::launch(global_read, {.block = threads}, to.data(), from.data(), last);
}
void run_vector(unsigned offset) {
  Buffer<float> to(1), from(threads);
  cuda::launch(vector_load, {.block = threads}, to.data(), from.data(), offset);
}
void run_after_the_block(unsigned last) {
  float* kept = nullptr;
  cuda::launch(after_the_block, {.grid = 2}, &kept, last);
}

TEST(MemoryErrorsTest, NoneInTheSameKernelsWithinBounds) {
  run_static_shared(63);
  run_static_shared_before(63);
  run_dynamic_shared(63);
  run_global(63);
  run_vector(4);
  run_after_the_block(63);
}

TEST(MemoryErrorsTest, OnePastAStaticSharedArray) {
  expect_report(Sanitizer::address, "heap-buffer-overflow.*\n.*WRITE of size 4",
                [] { run_static_shared(64); });
}

TEST(MemoryErrorsTest, OneBeforeAStaticSharedArray) {
  expect_report(Sanitizer::address, "heap-buffer-overflow.*\n.*WRITE of size 4",
                [] { run_static_shared_before(64); });
}

TEST(MemoryErrorsTest, OnePastADynamicSharedArray) {
  expect_report(Sanitizer::address, "heap-buffer-overflow.*\n.*WRITE of size 4",
                [] { run_dynamic_shared(64); });
}

TEST(MemoryErrorsTest, OnePastGlobalMemory) {
  expect_report(Sanitizer::address, "heap-buffer-overflow.*\n.*READ of size 4",
                [] { run_global(64); });
}

TEST(MemoryErrorsTest, SharedMemoryOfAnotherBlock) {
  expect_report(Sanitizer::address, "heap-use-after-free", [] { run_after_the_block(64); });
}

TEST(MemoryErrorsTest, AMisalignedVectorAccess) {
  if (!MIEN_GCC) GTEST_SKIP() << "clang does not check vectors that are copied whole";
  expect_report(Sanitizer::address, "misaligned address", [] { run_vector(5); });
}

}  // namespace
}  // namespace mien::simt
