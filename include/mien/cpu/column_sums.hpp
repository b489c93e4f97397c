#pragma once
// Sums over the rows of a matrix: the gradient of a bias.

#include <mien/cpu/reduce.hpp>

namespace mien::kernels {

// out (cols) = sums of a (rows, cols) over its rows, dense.
template <class T>
void column_sums(Cpu device, Compute<T>* out, const T* a, std::int64_t rows, std::int64_t cols) {
  reduce<Reduction::sum>(device, out, a, {.pre = 1, .mid = rows, .post = cols});
}

}  // namespace mien::kernels
