#pragma once
// Element types: the static side (concepts, dtype_of<T>) and the run-time side (DType, with_dtype).

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <mien/core/error.hpp>
#include <mien/core/float16.hpp>

namespace mien {

enum class DType : std::uint8_t { f32, f64, bf16, f16, i32, i64, u8, boolean };

template <class T, class... Ts>
concept OneOf = (std::is_same_v<T, Ts> || ...);

// Types that a Tensor can hold.
template <class T>
concept Element =
    OneOf<T, float, double, bf16, f16, std::int32_t, std::int64_t, std::uint8_t, bool>;

// Types that ops differentiate and kernels compute with.
template <class T>
concept FloatElement = OneOf<T, float, double, bf16, f16>;

// The type arithmetic on T is done in: double for double, float for every other float type.
template <FloatElement T>
using Compute = std::conditional_t<std::is_same_v<T, double>, double, float>;

template <Element T>
inline constexpr DType dtype_of = std::is_same_v<T, float>          ? DType::f32
                                  : std::is_same_v<T, double>       ? DType::f64
                                  : std::is_same_v<T, bf16>         ? DType::bf16
                                  : std::is_same_v<T, f16>          ? DType::f16
                                  : std::is_same_v<T, std::int32_t> ? DType::i32
                                  : std::is_same_v<T, std::int64_t> ? DType::i64
                                  : std::is_same_v<T, std::uint8_t> ? DType::u8
                                                                    : DType::boolean;

// Carries a type into a generic lambda: with_dtype(d, [](auto t) { using T = decltype(t)::type; });
template <class T>
struct Type {
  using type = T;
};

// Calls f(Type<T>{}) with the static type behind a run-time dtype.
template <class F>
decltype(auto) with_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f(Type<float>{});
    case DType::f64:
      return f(Type<double>{});
    case DType::bf16:
      return f(Type<bf16>{});
    case DType::f16:
      return f(Type<f16>{});
    case DType::i32:
      return f(Type<std::int32_t>{});
    case DType::i64:
      return f(Type<std::int64_t>{});
    case DType::u8:
      return f(Type<std::uint8_t>{});
    case DType::boolean:
      return f(Type<bool>{});
  }
  fail("dtype", "not a dtype");
}

inline std::size_t size_of(DType dtype) {
  return with_dtype(dtype, [](auto t) { return sizeof(typename decltype(t)::type); });
}

inline std::string_view to_string(DType dtype) {
  constexpr std::string_view names[] = {"f32", "f64", "bf16", "f16", "i32", "i64", "u8", "bool"};
  return names[static_cast<std::size_t>(dtype)];
}

}  // namespace mien
