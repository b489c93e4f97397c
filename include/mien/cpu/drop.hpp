#pragma once
// Random groups of elements set to zero, the others scaled up to keep the expectation.

#include <algorithm>
#include <array>
#include <cstdint>

#include <mien/core/device.hpp>
#include <mien/core/parallel.hpp>
#include <mien/core/random.hpp>

namespace mien::kernels {

// Group g (elements g * size to (g + 1) * size) takes word g % 4 of Philox block g / 4 of a draw,
// and is dropped where that, as a number in [0, 1), lies below the probability.
struct DropParams {
  std::int64_t groups = 0, size = 1;
  double probability = 0;
  std::uint64_t seed = 0, draw = 0;

  bool drops(const std::array<std::uint32_t, 4>& words, std::int64_t group) const {
    return Generator::to_unit(words[static_cast<std::size_t>(group % 4)]) < probability;
  }
  std::array<std::uint32_t, 4> words(std::int64_t block) const {
    return philox(static_cast<std::uint64_t>(block), draw, seed);
  }
};

template <class T>
void drop(Cpu, T* y, const T* x, const DropParams& p) {
  using C = Compute<T>;
  const auto scale = static_cast<C>(1 / (1 - p.probability));
  parallel_for(p.groups * p.size, 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    std::array<std::uint32_t, 4> words{};
    std::int64_t group = begin / p.size;
    for (std::int64_t i = begin; i < end; ++group) {
      if (i == begin || group % 4 == 0) words = p.words(group / 4);
      const bool dropped = p.drops(words, group);
      for (const std::int64_t last = std::min(end, (group + 1) * p.size); i < last; ++i)
        y[i] = dropped ? T{} : static_cast<T>(static_cast<C>(x[i]) * scale);
    }
  });
}

}  // namespace mien::kernels
