#pragma once
// What GEMM, convolution and depthwise convolution do to a sum before they store it:
//
//   y = activation(sum * scale[c] + shift[c]) * out_scale + residual
//
// with c the column of the matrix or the channel of the image. scale and shift hold a bias or a
// frozen batch norm.

#include <algorithm>
#include <cstdint>

#include <mien/cpu/math.hpp>
#include <mien/cpu/streaming.hpp>
#include <mien/cpu/vectors.hpp>

namespace mien::kernels {

enum class Activation : unsigned char { none, relu, silu, leaky_relu, prelu, sigmoid };

template <class T>
struct Epilogue {
  const Compute<T>* scale = nullptr;  // (c), null: 1
  const Compute<T>* shift = nullptr;  // (c), null: 0
  Activation activation = Activation::none;
  Compute<T> slope = 0;                // leaky_relu
  const Compute<T>* slopes = nullptr;  // (c), prelu
  Compute<T> out_scale = 1;
  const T* residual = nullptr;      // shape of y; may be y itself, which then accumulates
  std::int64_t residual_pixel = 0;  // elements between pixels (rows of a matrix); 0: dense
  bool streaming = false;           // store past the caches (cpu/streaming.hpp)
};

// The epilogue of y, `rows` rows (pixels) that begin `row` elements apart, with the way it is best
// stored.
template <class T>
Epilogue<T> stored_well(Epilogue<T> e, const T* y, std::int64_t rows, std::int64_t row) {
  e.streaming = e.residual == nullptr && worth_streaming(y, rows, row);
  return e;
}

// Whether y is the sums as they are.
template <class T>
bool is_plain(const Epilogue<T>& e) {
  return e.scale == nullptr && e.shift == nullptr && e.activation == Activation::none &&
         e.out_scale == 1 && e.residual == nullptr;
}

// A block of sums and the place in y where it goes.
template <class T>
struct EpilogueBlock {
  const Compute<T>* sums;  // (rows, channels), row stride sums_row, whole vectors readable
  T* y;                    // (rows, channels), row stride y_row
  const T* residual;       // (rows, channels), row stride residual_row, or null
  Compute<T>* pool;        // (channels), += the sums of y over the rows, or null
  std::int64_t sums_row, y_row, residual_row;
  std::int64_t rows, channels;
  std::int64_t first_channel;  // of the block, into scale, shift and slopes
};

}  // namespace mien::kernels

#define MIEN_KERNEL_FILE <mien/cpu/epilogue.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::kernels {

// The same for one sum, for the references.
template <class T>
T epilogue_reference(Compute<T> sum, const Epilogue<T>& e, std::int64_t channel,
                     const T* residual) {
  using C = Compute<T>;
  const C scale = e.scale ? e.scale[channel] : C(1), shift = e.shift ? e.shift[channel] : C(0);
  const C x = sum * scale + shift;
  const auto leaky = [x](C slope) { return x < 0 ? x * slope : x; };
  C y = x;
  switch (e.activation) {
    case Activation::none:
      break;
    case Activation::relu:
      y = x < 0 ? C(0) : x;
      break;
    case Activation::silu:
      y = x / (1 + std::exp(-x));
      break;
    case Activation::leaky_relu:
      y = leaky(e.slope);
      break;
    case Activation::prelu:
      y = leaky(e.slopes[channel]);
      break;
    case Activation::sigmoid:
      y = 1 / (1 + std::exp(-x));
      break;
  }
  y *= e.out_scale;
  return static_cast<T>(residual ? y + static_cast<C>(*residual) : y);
}

}  // namespace mien::kernels
