#pragma once
// Results that must not depend on the number of threads.

#include <cstring>

#include <gtest/gtest.h>
#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>

namespace mien::test {

// Another number of threads within a scope.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : previous_(num_threads()) { set_num_threads(threads); }
  ~ThreadCount() { set_num_threads(previous_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int previous_;
};

template <class T>
bool same_bits(const Tensor<T>& a, const Tensor<T>& b) {
  const Tensor<T> p = a.dense(), q = b.dense();
  return p.shape() == q.shape() &&
         std::memcmp(p.data(), q.data(), static_cast<std::size_t>(p.numel()) * sizeof(T)) == 0;
}

// f() -> Tensor.
template <class F>
void expect_same_bits_on_any_number_of_threads(F&& f) {
  const auto on = [&](int threads) {
    const ThreadCount scope(threads);
    return f();
  };
  const auto alone = on(1);
  for (const int threads : {2, 5}) EXPECT_TRUE(same_bits(on(threads), alone)) << threads;
}

}  // namespace mien::test
