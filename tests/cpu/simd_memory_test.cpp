// Loads and stores of Vec, in every instruction set: what they touch, and how 16-bit values
// convert.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "cpu/simd_probe.hpp"
#include "support/each_isa.hpp"

namespace {

using mien::bf16;
using mien::f16;
using mien::kernels::most_lanes;

// A page of memory with a page behind it that may not be touched.
class GuardedPage {
 public:
  GuardedPage() : size_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* pages =
        mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    bytes_ = static_cast<std::byte*>(pages);
    mprotect(bytes_ + size_, size_, PROT_NONE);
  }
  ~GuardedPage() { munmap(bytes_, 2 * size_); }
  GuardedPage(const GuardedPage&) = delete;
  GuardedPage& operator=(const GuardedPage&) = delete;

  // The last n elements before the guard.
  template <class S>
  S* last(int n) const {
    return reinterpret_cast<S*>(bytes_ + size_) - n;
  }
  void fill(int byte) const { std::memset(bytes_, byte, size_); }

 private:
  std::size_t size_;
  std::byte* bytes_;
};

template <class C, class S>
void check_page_ends() {
  const int lanes = MIEN_ISA_PICK(vector_lanes<C>)();
  const GuardedPage page;
  for (int n = -1; n <= lanes; ++n) {  // -1: the load and store of whole vectors
    const int count = n < 0 ? lanes : n;
    page.fill(0x55);
    S* p = page.last<S>(count);
    for (int i = 0; i < count; ++i) p[i] = static_cast<S>(static_cast<float>(i + 1));
    C lane[most_lanes];
    using Load = void (*)(C*, const S*, int);
    const Load load = MIEN_ISA_PICK(load_vector<C, S>);
    load(lane, p, n);
    for (int i = 0; i < lanes; ++i) ASSERT_EQ(lane[i], i < count ? i + 1 : 0) << n;

    page.fill(0x55);
    for (int i = 0; i < lanes; ++i) lane[i] = static_cast<C>(-i - 1);
    MIEN_ISA_PICK(store_vector<C, S>)(p, lane, n);
    for (int i = 0; i < count; ++i) ASSERT_EQ(static_cast<C>(p[i]), -i - 1) << n;
    std::byte before[sizeof(S)];
    std::memcpy(before, p - 1, sizeof(S));
    for (const std::byte byte : before) ASSERT_EQ(byte, std::byte{0x55}) << "before the vector";

    // Elements behind the first n must stay, where there is memory behind.
    S behind[2 * most_lanes];
    std::memset(static_cast<void*>(behind), 0x55, sizeof behind);
    MIEN_ISA_PICK(store_vector<C, S>)(behind, lane, n);
    std::memcpy(before, behind + count, sizeof(S));
    for (const std::byte byte : before) ASSERT_EQ(byte, std::byte{0x55}) << "behind the vector";
  }
}

template <class S>
void check_widening() {
  std::vector<S> in;
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits)
    in.push_back(S::from_bits(static_cast<std::uint16_t>(bits)));
  const int lanes = MIEN_ISA_PICK(vector_lanes<float>)();
  for (std::size_t i = 0; i < in.size(); i += static_cast<std::size_t>(lanes)) {
    float out[most_lanes];
    MIEN_ISA_PICK(load_vector<float, S>)(out, in.data() + i, -1);
    for (std::size_t k = 0; k < static_cast<std::size_t>(lanes); ++k)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(out[k]),
                std::bit_cast<std::uint32_t>(static_cast<float>(in[i + k])))
          << i + k;
  }
}

// Around every 16-bit value: its neighbours among the floats, the middle to the next value and what
// is beside that, and NaNs.
template <class S>
void check_narrowing() {
  std::vector<float> x;
  const float inf = std::numeric_limits<float>::infinity();
  for (std::uint32_t bits = 0; bits < 0xffff; ++bits) {
    const float low = S::from_bits(static_cast<std::uint16_t>(bits));
    const float high = S::from_bits(static_cast<std::uint16_t>(bits + 1));
    const float middle = low / 2 + high / 2;
    for (const float value : {low, middle})
      for (const float beside : {value, std::nextafter(value, inf), std::nextafter(value, -inf)})
        x.push_back(beside);
  }
  for (std::uint32_t payload = 1; payload < 1u << 23; payload <<= 1)
    for (const std::uint32_t sign : {0u, 0x80000000u})
      x.push_back(std::bit_cast<float>(sign | 0x7f800000u | payload));
  x.insert(x.end(), {3.0e38f, -3.0e38f, 65519.0f, 65520.0f, 1e-40f, -1e-40f});
  while (x.size() % most_lanes != 0) x.push_back(0);
  const int lanes = MIEN_ISA_PICK(vector_lanes<float>)();
  for (std::size_t i = 0; i < x.size(); i += static_cast<std::size_t>(lanes)) {
    S out[most_lanes];
    MIEN_ISA_PICK(store_vector<float, S>)(out, x.data() + i, -1);
    for (std::size_t k = 0; k < static_cast<std::size_t>(lanes); ++k)
      ASSERT_EQ(out[k].bits, S(x[i + k]).bits) << x[i + k];
  }
}

class SimdMemory : public mien::test::EachIsa {};

TEST_P(SimdMemory, LoadsAndStoresTouchNoMoreThanTheyShould) {
  check_page_ends<float, float>();
  check_page_ends<double, double>();
  check_page_ends<float, bf16>();
  check_page_ends<float, f16>();
}
TEST_P(SimdMemory, SixteenBitValuesWidenAsInScalarCode) {
  check_widening<bf16>();
  check_widening<f16>();
}
TEST_P(SimdMemory, SixteenBitValuesRoundAsInScalarCode) {
  check_narrowing<bf16>();
  check_narrowing<f16>();
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, SimdMemory, mien::test::every_isa, mien::test::isa_name);

}  // namespace
