#pragma once
// Sums over the rows of a matrix: the gradient of a bias.

#include <mien/cpu/reduce.hpp>
#include <mien/cpu/scratch.hpp>

namespace mien::kernels {

// out (cols) = sums of a (rows, cols) over its rows, dense.
template <class T>
void column_sums(Cpu device, T* out, const T* a, std::int64_t rows, std::int64_t cols) {
  Scratch<Compute<T>> sums(cols);
  reduce<Reduction::sum>(device, sums.data(), a, {.pre = 1, .mid = rows, .post = cols});
  for (std::int64_t j = 0; j < cols; ++j) out[j] = static_cast<T>(sums.data()[j]);
}

}  // namespace mien::kernels
