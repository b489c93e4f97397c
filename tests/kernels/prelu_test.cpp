#include <mien/cuda/prelu.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

using kernels::PreluParams;

// Packs of channels and single ones; rows in one share and in several; more channels than a block
// has threads.
const auto cases = shapes<PreluParams>(
    {{150, 64}, {1, 1}, {5, 3}, {301, 48}, {9, 259}, {3, 2056}, {6000, 1}, {0, 6}},
    {{301, 48}, {9, 259}, {3, 2056}, {2000, 1}});

std::string to_string(const PreluParams& p) { return str(p.rows, 'x', p.c); }

template <class T>
struct Data {
  std::vector<T> x, dy;
  std::vector<float> slope;
  explicit Data(const PreluParams& p)
      : x(random_values<T>(p.rows * p.c, -2, 2, 1)),
        dy(random_values<T>(p.rows * p.c, -1, 1, 2)),
        slope(random_values<float>(p.c, -0.3f, 0.5f, 3)) {}
};

// y and dx, and dslope from them: sums of x dy.
template <class T>
struct Expected {
  std::vector<double> y, dx, dslope;
  Expected(const Data<T>& d, const PreluParams& p) : dslope(d.slope.size()) {
    for (std::size_t i = 0; i < d.x.size(); ++i) {
      const std::size_t c = i % static_cast<std::size_t>(p.c);
      const double x = static_cast<double>(d.x[i]), g = static_cast<double>(d.dy[i]);
      const double factor = x > 0 ? 1 : static_cast<double>(d.slope[c]);
      y.push_back(factor * x);
      dx.push_back(factor * g);
      if (x <= 0) dslope[c] += x * g;
    }
  }
};

template <class T>
class PreluTest : public KernelTest {};
TYPED_TEST_SUITE(PreluTest, StorageTypes);

TYPED_TEST(PreluTest, ForwardAndBackward) {
  for (const PreluParams& p : cases) {
    const Data<TypeParam> d(p);
    const Expected<TypeParam> expected(d, p);
    const double terms = std::sqrt(static_cast<double>(p.rows));
    each_schedule([&] {
      Buffer<TypeParam> y(p.rows * p.c), dx(p.rows * p.c), x(d.x), dy(d.dy);
      Buffer<float> slope(d.slope), dslope(p.c),
          partials(std::int64_t{kernels::prelu_shares(p)} * p.c);
      Buffer<unsigned> counters(
          std::vector<unsigned>(static_cast<std::size_t>(kernels::prelu_counters(p))));
      kernels::prelu(Cuda{}, y.data(), x.data(), slope.data(), p);
      kernels::prelu_backward(Cuda{}, dx.data(), dslope.data(), {partials.data(), counters.data()},
                              x.data(), dy.data(), slope.data(), p);
      EXPECT_EQ(difference(y.read(), expected.y), "") << to_string(p);
      EXPECT_EQ(difference(dx.read(), expected.dx), "") << to_string(p);
      EXPECT_EQ(difference(dslope.read(), expected.dslope, {1e-5, 1e-6 * terms}), "")
          << to_string(p);
      for (const unsigned counter : counters.read()) EXPECT_EQ(counter, 0u);
    });
  }
}

TYPED_TEST(PreluTest, TheSlopesGradientHasTheSameBitsInEveryRun) {
  const PreluParams p{301, 24};
  const Data<TypeParam> d(p);
  std::vector<std::vector<float>> runs;
  each_schedule([&] {
    Buffer<TypeParam> dx(p.rows * p.c), x(d.x), dy(d.dy);
    Buffer<float> slope(d.slope), dslope(p.c),
        partials(std::int64_t{kernels::prelu_shares(p)} * p.c);
    Buffer<unsigned> counters(std::vector<unsigned>(1));
    for (int run = 0; run < 2; ++run) {
      kernels::prelu_backward(Cuda{}, dx.data(), dslope.data(), {partials.data(), counters.data()},
                              x.data(), dy.data(), slope.data(), p);
      runs.push_back(dslope.read());
    }
  });
  for (const auto& run : runs) EXPECT_EQ(run, runs[0]);
}

TYPED_TEST(PreluTest, InPlaceAtAnyAddress) {
  const PreluParams p{37, 8};
  const Data<TypeParam> d(p);
  const Expected<TypeParam> expected(d, p);
  auto shifted = d.x;
  shifted.insert(shifted.begin(), TypeParam(0.0f));
  each_schedule([&] {
    Buffer<TypeParam> x(shifted), dy(d.dy);
    Buffer<float> slope(d.slope), dslope(p.c),
        partials(std::int64_t{kernels::prelu_shares(p)} * p.c);
    Buffer<unsigned> counters(std::vector<unsigned>(1));
    kernels::prelu_backward(Cuda{}, dy.data(), dslope.data(), {partials.data(), counters.data()},
                            x.data() + 1, dy.data(), slope.data(), p);
    kernels::prelu(Cuda{}, x.data() + 1, x.data() + 1, slope.data(), p);
    auto y = x.read();
    y.erase(y.begin());
    EXPECT_EQ(difference(y, expected.y), "");
    EXPECT_EQ(difference(dy.read(), expected.dx), "");
    EXPECT_EQ(difference(dslope.read(), expected.dslope, {1e-5, 1e-5}), "");
  });
}

}  // namespace
}  // namespace mien::test
