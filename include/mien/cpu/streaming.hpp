#pragma once
// Results that no cache will hold until they are read again go past it (non-temporal stores): a
// line that is written whole need not be fetched first, and drives nothing out.

#include <cstdint>

#include <mien/config.hpp>

namespace mien::kernels {

// Whether y, `rows` rows that begin `row` elements apart, should be stored so: it must be large and
// made of whole lines.
template <class T>
bool worth_streaming(const T* y, std::int64_t rows, std::int64_t row) {
  constexpr std::int64_t large = 8 << 20, line = 64, size = sizeof(T);
  return rows * row * size >= large && row * size % line == 0 &&
         reinterpret_cast<std::uintptr_t>(y) % line == 0;
}

// After the last streaming store of a piece of work, before another thread may read it.
inline void end_streaming() {
#if MIEN_X86
  __builtin_ia32_sfence();
#endif
}

}  // namespace mien::kernels
