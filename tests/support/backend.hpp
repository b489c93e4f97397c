#pragma once
// Where the tests of CUDA kernels run: on the SIMT executor where MIEN_SIMT is defined, else on a
// GPU. Their bodies know of neither:
//   using SwishTest = mien::test::KernelTest;
//   TEST_F(SwishTest, Doubles) {
//     each_schedule([] {
//       Buffer<float> y(n), x(values);
//       kernels::swish(Cuda{}, y.data(), x.data(), {.n = n});
//       EXPECT_EQ(difference(y.read(), expected), "");
//     });
//   }

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/cuda/stream.hpp>

#if defined(MIEN_SIMT)
#include <simt/sanitizer.hpp>
#include <simt/schedule.hpp>
#else
#include <mien/cuda/runtime.hpp>
#endif

namespace mien::test {
inline namespace MIEN_CUDA_BUILD {

// Kernels take 20 times as long under ThreadSanitizer, which looks for races: what is there to find
// is found by a shape for each way to access memory and to wait. Tests then leave out those that
// differ by their numbers or their loops alone.
#if defined(MIEN_SIMT)
inline constexpr bool few_shapes = MIEN_TSAN;
#else
inline constexpr bool few_shapes = false;
#endif
inline constexpr const char* no_other_way = "the tests beside it access memory in the same way";

// The types that kernels store.
using StorageTypes = testing::Types<float, f16, bf16>;

// `all`, or `few` of them.
template <class Shape>
std::vector<Shape> shapes(std::vector<Shape> all, std::vector<Shape> few) {
  return few_shapes ? few : all;
}

#if !defined(MIEN_SIMT)

// Why kernels cannot run in this program; empty where they can.
inline std::string why_not() { return cuda::why_no_gpu(); }

namespace device {
inline void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  cuda::check_cuda(cudaMalloc(&memory, bytes), "cudaMalloc");
  return memory;
}
inline void release(void* memory) { cudaFree(memory); }
using cuda::copy;
}  // namespace device

template <class F>
void each_schedule(const F& f) {
  f();
  cuda::check_cuda(cudaDeviceSynchronize(), "a kernel");
}

#else

inline std::string why_not() { return ""; }

namespace device {
inline constexpr std::align_val_t alignment{256};  // as cudaMalloc gives
inline void* allocate(std::size_t bytes) { return ::operator new(bytes, alignment); }
inline void release(void* memory) { ::operator delete(memory, alignment); }
inline void copy(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
}  // namespace device

// Calls f once under each order of blocks and threads, with early and late asynchronous copies.
template <class F>
void each_schedule(const F& f) {
  using Order = simt::Schedule::Order;
  for (const Order order : {Order::forward, Order::reverse, Order::random}) {
    const simt::Schedule schedule{
        .order = order, .seed = 1, .copies_at_once = order == Order::reverse};
    SCOPED_TRACE(to_string(schedule));
    const simt::ScheduleScope scope(schedule);
    f();
  }
}

#endif

// An array in the device's memory, between guards that show writes out of bounds. What nobody wrote
// is 0xFF in every byte: NaN in every float type. The guards of inputs are NaN too, those of
// outputs differ, so that what was read from the one and written to the other shows.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::int64_t size) : Buffer(static_cast<std::size_t>(size), 0xFE) {}
  explicit Buffer(const std::vector<T>& values) : Buffer(values.size(), 0xFF) {
    device::copy(data(), values.data(), size_ * sizeof(T));
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { device::release(memory_); }

  // The device's address, a multiple of 256.
  T* data() { return reinterpret_cast<T*>(static_cast<unsigned char*>(memory_) + guard); }

  // Throws where something was written beside the array.
  std::vector<T> read() const {
    std::vector<unsigned char> all(bytes());
    device::copy(all.data(), memory_, all.size());
    const auto untouched = [this](unsigned char byte) { return byte == guard_byte_; };
    check(std::all_of(all.begin(), all.begin() + guard, untouched) &&
              std::all_of(all.end() - guard, all.end(), untouched),
          "buffer", "written out of bounds");
    std::vector<T> values(size_);
    if (size_ > 0) std::memcpy(values.data(), all.data() + guard, size_ * sizeof(T));
    return values;
  }

 private:
  // None under AddressSanitizer, which sees reads out of bounds as well.
  static constexpr std::ptrdiff_t guard = MIEN_ASAN ? 0 : 256;

  Buffer(std::size_t size, unsigned char guard_byte)
      : size_(size), guard_byte_(guard_byte), memory_(device::allocate(bytes())) {
    std::vector<unsigned char> fill(bytes(), guard_byte);
    std::fill_n(fill.begin() + guard, size_ * sizeof(T), static_cast<unsigned char>(0xFF));
    device::copy(memory_, fill.data(), fill.size());
  }

  std::size_t bytes() const { return size_ * sizeof(T) + 2 * guard; }

  std::size_t size_;
  unsigned char guard_byte_;
  void* memory_;
};

// Skips its tests where kernels cannot run, or fails them if MIEN_REQUIRE_GPU=1 is set.
class KernelTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string reason = why_not();
    if (reason.empty()) return;
    const char* required = std::getenv("MIEN_REQUIRE_GPU");
    if (required != nullptr && std::string(required) == "1") FAIL() << reason;
    GTEST_SKIP() << reason;
  }
};

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::test
