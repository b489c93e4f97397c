#pragma once
// CUDA's atomic functions: each returns the old value. Unlike CUDA's they also order memory
// (ThreadSanitizer does not know fences), so a __threadfence() left out beside them is not seen.

#include <atomic>
#include <type_traits>

namespace mien::simt {

namespace detail {
// Stores next(old) until nobody came in between.
template <class T, class Next>
T update(T* address, Next next) {
  std::atomic_ref<T> target(*address);
  T old = target.load();
  while (!target.compare_exchange_weak(old, next(old))) {
  }
  return old;
}
}  // namespace detail

template <class T>
concept Atomic = (std::is_integral_v<T> || std::is_same_v<T, float> ||
                  std::is_same_v<T, double>)&&(sizeof(T) == 4 || sizeof(T) == 8);

template <Atomic T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return std::atomic_ref<T>(*address).fetch_add(value);
}

template <Atomic T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMin for integers alone");
  return detail::update(address, [=](T old) { return value < old ? value : old; });
}

template <Atomic T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicMax for integers alone");
  return detail::update(address, [=](T old) { return old < value ? value : old; });
}

template <Atomic T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return std::atomic_ref<T>(*address).exchange(value);
}

template <Atomic T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T>, "CUDA has atomicCAS for integers alone");
  std::atomic_ref<T>(*address).compare_exchange_strong(expected, value);
  return expected;
}

}  // namespace mien::simt
