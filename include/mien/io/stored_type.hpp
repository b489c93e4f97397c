#pragma once
// StoredType: the element types of weight files, and how they become the types of tensors.
// Types that tensors do not have are widened without loss: i8, i16, u16 to i32; u32 to i64.

#include <algorithm>
#include <cstring>
#include <vector>

#include <mien/core/any_tensor.hpp>
#include <mien/io/mapped_file.hpp>

namespace mien::io {

enum class StoredType : std::uint8_t {
  f32,
  f64,
  bf16,
  f16,
  i64,
  i32,
  i16,
  i8,
  u32,
  u16,
  u8,
  boolean
};

// Bytes per element in the file.
constexpr std::size_t size_of(StoredType type) {
  constexpr std::size_t sizes[] = {4, 8, 2, 2, 8, 4, 2, 1, 4, 2, 1, 1};
  return sizes[static_cast<std::size_t>(type)];
}

// The type of the tensor that holds such elements.
constexpr DType tensor_dtype(StoredType type) {
  constexpr DType types[] = {DType::f32, DType::f64, DType::bf16, DType::f16,
                             DType::i64, DType::i32, DType::i32,  DType::i32,
                             DType::i64, DType::i32, DType::u8,   DType::boolean};
  return types[static_cast<std::size_t>(type)];
}

namespace detail {

inline void copy_reversed(std::byte* out, const std::byte* in, std::size_t count,
                          std::size_t size) {
  for (std::size_t i = 0; i < count; ++i)
    std::reverse_copy(in + i * size, in + (i + 1) * size, out + i * size);
}

// Elements of type S, possibly unaligned, as elements of the wider type D.
template <class S, class D>
void widen(std::byte* out, const std::byte* in, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    S narrow;
    std::memcpy(&narrow, in + i * sizeof(S), sizeof(S));
    const D wide = narrow;
    std::memcpy(out + i * sizeof(D), &wide, sizeof(D));
  }
}

inline void normalise_bools(std::byte* out, const std::byte* in, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = in[i] == std::byte{0} ? in[i] : std::byte{1};
}

}  // namespace detail

// A tensor of the dense elements `data`, which must be exactly as many as `shape` takes.
inline AnyTensor decode(StoredType type, const Shape& shape, Bytes data, bool big_endian = false) {
  const std::size_t size = size_of(type), count = data.size() / size;
  check(count * size == data.size() && count == static_cast<std::size_t>(shape.numel()), "decode",
        "shape ", shape, " does not take ", data.size(), " bytes");
  AnyTensor out(tensor_dtype(type), shape);
  if (count == 0) return out;
  std::vector<std::byte> swapped;
  if (big_endian && size > 1) {
    swapped.resize(data.size());
    detail::copy_reversed(swapped.data(), data.data(), count, size);
    data = swapped;
  }
  switch (type) {
    case StoredType::i8:
      detail::widen<std::int8_t, std::int32_t>(out.bytes(), data.data(), count);
      break;
    case StoredType::i16:
      detail::widen<std::int16_t, std::int32_t>(out.bytes(), data.data(), count);
      break;
    case StoredType::u16:
      detail::widen<std::uint16_t, std::int32_t>(out.bytes(), data.data(), count);
      break;
    case StoredType::u32:
      detail::widen<std::uint32_t, std::int64_t>(out.bytes(), data.data(), count);
      break;
    case StoredType::boolean:
      detail::normalise_bools(out.bytes(), data.data(), count);
      break;
    default:
      std::memcpy(out.bytes(), data.data(), data.size());
  }
  return out;
}

}  // namespace mien::io
