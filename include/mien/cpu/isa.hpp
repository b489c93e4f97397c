#pragma once
// Which CPU instruction sets this machine has, and the table through which a kernel compiled once
// per set is called.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <mien/config.hpp>
#include <mien/core/error.hpp>
#if MIEN_X86
#include <cpuid.h>
#endif

namespace mien {

enum class Isa : unsigned char { scalar, avx2, avx512 };

inline std::string_view to_string(Isa isa) {
  constexpr std::string_view names[] = {"scalar", "avx2", "avx512"};
  return names[static_cast<int>(isa)];
}

namespace detail {

#if MIEN_X86
inline std::uint64_t xcr0() {
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

// CPUID says what the processor can, XGETBV which registers the operating system saves.
inline Isa detect_isa() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return Isa::scalar;
  constexpr unsigned fma = 1u << 12, osxsave = 1u << 27, f16c = 1u << 29;
  if ((c & (fma | osxsave | f16c)) != (fma | osxsave | f16c)) return Isa::scalar;
  const std::uint64_t saved = xcr0();
  if ((saved & 0x6) != 0x6) return Isa::scalar;  // xmm and ymm
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return Isa::scalar;
  constexpr unsigned bmi1 = 1u << 3, avx2 = 1u << 5, bmi2 = 1u << 8;
  if ((b & (bmi1 | avx2 | bmi2)) != (bmi1 | avx2 | bmi2)) return Isa::scalar;
  constexpr unsigned f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31;
  const bool zmm_saved = (saved & 0xe6) == 0xe6;  // and opmask, zmm
  return zmm_saved && (b & (f | dq | bw | vl)) == (f | dq | bw | vl) ? Isa::avx512 : Isa::avx2;
}
#else
inline Isa detect_isa() { return Isa::scalar; }
#endif

// MIEN_ISA=scalar|avx2|avx512 lowers the set in use; asking for more than the machine has fails.
inline Isa initial_isa() {
  const Isa best = detect_isa();
  const char* wanted = std::getenv("MIEN_ISA");
  if (wanted == nullptr || *wanted == '\0') return best;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (to_string(isa) != wanted) continue;
    check(isa <= best, "isa", "MIEN_ISA=", wanted, " asked for, this machine has ", best);
    return isa;
  }
  fail("isa", str("MIEN_ISA is '", wanted, "', expected scalar, avx2 or avx512"));
}

inline Isa& current_isa() {
  static Isa isa = initial_isa();
  return isa;
}

}  // namespace detail

// The best instruction set of this machine.
inline Isa best_isa() {
  static const Isa best = detail::detect_isa();
  return best;
}

// The instruction set that kernels use now.
inline Isa active_isa() { return detail::current_isa(); }

// Uses another instruction set within a scope: tests and benchmarks run each in turn. Not to be
// called while other threads compute.
class IsaScope {
 public:
  explicit IsaScope(Isa isa) : previous_(active_isa()) {
    check(isa <= best_isa(), "isa", isa, " asked for, this machine has ", best_isa());
    detail::current_isa() = isa;
  }
  ~IsaScope() { detail::current_isa() = previous_; }
  IsaScope(const IsaScope&) = delete;
  IsaScope& operator=(const IsaScope&) = delete;

 private:
  Isa previous_;
};

// One function (or value) per instruction set; get() picks the active one.
template <class F>
struct IsaTable {
  F scalar, avx2, avx512;
  F get() const {
    switch (active_isa()) {
      case Isa::avx512:
        return avx512;
      case Isa::avx2:
        return avx2;
      case Isa::scalar:
        break;
    }
    return scalar;
  }
};

// The active version of a kernel: MIEN_ISA_PICK(gemm<float>)(args...) calls
// kernels::<isa>::gemm<float>. Template arguments with commas need no extra parentheses.
#if MIEN_X86
#define MIEN_ISA_PICK(...)                                                        \
  (::mien::IsaTable<decltype(&::mien::kernels::scalar::__VA_ARGS__)>{             \
      &::mien::kernels::scalar::__VA_ARGS__, &::mien::kernels::avx2::__VA_ARGS__, \
      &::mien::kernels::avx512::__VA_ARGS__}                                      \
       .get())
#else
#define MIEN_ISA_PICK(...) (&::mien::kernels::scalar::__VA_ARGS__)
#endif

}  // namespace mien
