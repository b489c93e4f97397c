#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/cpu/reduce.hpp>

#include "support/each_isa.hpp"

namespace {

using mien::bf16;
using mien::Compute;
using mien::Generator;
using mien::Tensor;
using mien::kernels::ReduceParams;
using mien::kernels::Reduction;

template <Reduction Kind, class T>
std::vector<Compute<T>> reduce(const Tensor<T>& x, const ReduceParams& p) {
  std::vector<Compute<T>> y(static_cast<std::size_t>(p.pre * p.post), Compute<T>(-123));
  mien::kernels::reduce<Kind>(mien::Cpu{}, y.data(), x.data(), p);
  return y;
}

// In long double, one element after the other; NaN as soon as there is one.
template <Reduction Kind, class T>
std::vector<long double> expected(const Tensor<T>& x, const ReduceParams& p) {
  std::vector<long double> y;
  for (std::int64_t i = 0; i < p.pre; ++i)
    for (std::int64_t j = 0; j < p.post; ++j) {
      long double total = mien::kernels::neutral<Kind, long double>();
      for (std::int64_t k = 0; k < p.mid; ++k) {
        const auto value = static_cast<long double>(x.data()[(i * p.mid + k) * p.post + j]);
        if constexpr (Kind == Reduction::sum)
          total += value;
        else if (std::isnan(value) || std::isnan(total))
          total = std::numeric_limits<long double>::quiet_NaN();
        else
          total = Kind == Reduction::max ? std::max(total, value) : std::min(total, value);
      }
      y.push_back(total);
    }
  return y;
}

// Sizes around the vectors' and the tiles' borders, and none.
std::vector<ReduceParams> shapes() {
  std::vector<ReduceParams> all;
  for (const std::int64_t mid : {0, 1, 2, 7, 63, 64, 65, 1023, 1025, 2500})
    for (const std::int64_t post : {1, 2, 15, 17, 67})
      for (const std::int64_t pre : {1, 3}) all.push_back({pre, mid, post});
  for (const std::int64_t mid : {4095, 4096, 4097, 100000}) all.push_back({1, mid, 1});
  for (const std::int64_t post : {511, 512, 513, 3000}) all.push_back({2, 33, post});
  all.push_back({0, 5, 5});
  all.push_back({5, 5, 0});
  all.push_back({4000, 3, 1});
  return all;
}

class Reduce : public mien::test::EachIsa {};

template <class T>
void check_sum() {
  Generator generator(1);
  for (const ReduceParams& p : shapes()) {
    const Tensor<T> x = rand<T>({p.pre, p.mid, p.post}, generator, -1, 1);
    const auto got = reduce<Reduction::sum>(x, p);
    const auto truth = expected<Reduction::sum>(x, p);
    // Partial sums stay below 4 sqrt(mid); each addition rounds to half a unit of them.
    const double epsilon = std::numeric_limits<Compute<T>>::epsilon();
    const auto bound = 4 * std::sqrt(static_cast<double>(p.mid)) * epsilon * 8;
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], static_cast<double>(truth[i]), bound)
          << p.pre << ' ' << p.mid << ' ' << p.post;
  }
}

TEST_P(Reduce, Sum) {
  check_sum<float>();
  check_sum<double>();
  check_sum<bf16>();
}

template <Reduction Kind, class T>
void check_extremum() {
  Generator generator(2);
  for (const ReduceParams& p : shapes()) {
    const Tensor<T> x = rand<T>({p.pre, p.mid, p.post}, generator, -1, 1);
    const auto got = reduce<Kind>(x, p);
    const auto truth = expected<Kind>(x, p);
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_EQ(got[i], static_cast<Compute<T>>(truth[i]))
          << p.pre << ' ' << p.mid << ' ' << p.post;
  }
}

TEST_P(Reduce, MaxAndMin) {
  check_extremum<Reduction::max, float>();
  check_extremum<Reduction::min, float>();
  check_extremum<Reduction::max, double>();
  check_extremum<Reduction::min, bf16>();
}

// Wherever it stands: in a vector, in a tail, in any tile.
TEST_P(Reduce, NanWins) {
  for (const ReduceParams p : {ReduceParams{1, 100, 1}, {1, 75, 5}, {1, 40, 17}, {1, 1030, 2}}) {
    const auto x = Tensor<float>::full({p.mid, p.post}, 1.0f);
    for (std::int64_t i = 0; i < p.mid * p.post; ++i) {
      x.mutable_data()[i] = std::numeric_limits<float>::quiet_NaN();
      const auto most = reduce<Reduction::max>(x, p), least = reduce<Reduction::min>(x, p);
      for (std::int64_t j = 0; j < p.post; ++j) {
        ASSERT_EQ(std::isnan(most[static_cast<std::size_t>(j)]), j == i % p.post) << i;
        ASSERT_EQ(std::isnan(least[static_cast<std::size_t>(j)]), j == i % p.post) << i;
      }
      x.mutable_data()[i] = 1;
    }
  }
}

TEST_P(Reduce, InfinitiesAreOrdinaryExtrema) {
  const float inf = std::numeric_limits<float>::infinity();
  const auto x = Tensor<float>::from({2, 2}, {-inf, 3, -inf, inf});
  EXPECT_EQ(reduce<Reduction::max>(x, {1, 2, 2}), (std::vector<float>{-inf, inf}));
  EXPECT_EQ(reduce<Reduction::min>(x, {2, 2, 1}), (std::vector<float>{-inf, -inf}));
}

TEST_P(Reduce, LongSumsStayPrecise) {
  const std::int64_t n = 1 << 22;
  const auto x = Tensor<float>::full({n}, 0.1f);
  const double truth = static_cast<double>(n) * double{0.1f};
  EXPECT_NEAR(reduce<Reduction::sum>(x, {1, n, 1})[0], truth, truth * 1e-5);
  for (const float column : reduce<Reduction::sum>(x, {1, n / 2, 2}))
    EXPECT_NEAR(column, truth / 2, truth / 2 * 1e-5);
}

TEST_P(Reduce, BitsDoNotDependOnTheThreads) {
  const int threads = mien::num_threads();
  Generator generator(3);
  for (const ReduceParams p : {ReduceParams{3, 70001, 1}, {1, 5000, 33}, {7, 40, 1100}}) {
    const auto x = rand<float>({p.pre, p.mid, p.post}, generator);
    mien::set_num_threads(1);
    const auto alone = reduce<Reduction::sum>(x, p);
    mien::set_num_threads(5);
    EXPECT_EQ(reduce<Reduction::sum>(x, p), alone);
  }
  mien::set_num_threads(threads);
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Reduce, mien::test::every_isa, mien::test::isa_name);

}  // namespace
