#include <mien/cuda/squeeze_excite.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <kernels/values.hpp>
#include <support/backend.hpp>

namespace mien::test {
namespace {

using kernels::SqueezeExciteParams;

using Doubles = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// EfficientNet's ratios, widths that no pack divides, single pixels, more channels or more hidden
// ones than a block has threads for.
std::vector<SqueezeExciteParams> cases() {
  return shapes<SqueezeExciteParams>({{.n = 1, .pixels = 1, .c = 1, .r = 1},
                                      {.n = 3, .pixels = 49, .c = 32, .r = 8},
                                      {.n = 1, .pixels = 30, .c = 35, .r = 3},
                                      {.n = 1, .pixels = 260, .c = 40, .r = 10},
                                      {.n = 1, .pixels = 1, .c = 336, .r = 28},
                                      {.n = 1, .pixels = 2, .c = 521, .r = 2},
                                      {.n = 1, .pixels = 3, .c = 2, .r = 521}},
                                     {{.n = 2, .pixels = 49, .c = 32, .r = 8},
                                      {.n = 1, .pixels = 30, .c = 35, .r = 3},
                                      {.n = 1, .pixels = 2, .c = 521, .r = 2},
                                      {.n = 1, .pixels = 3, .c = 2, .r = 521}});
}

std::string to_string(const SqueezeExciteParams& p) {
  return str(p.n, " x ", p.pixels, " x ", p.c, ", ", p.r, " hidden");
}

template <class T>
Doubles doubles(const std::vector<T>& from) {
  return {from.begin(), from.end()};
}

// What the definition reads and, in the same order, its gradients.
struct Inputs {
  Doubles x, w1, b1, w2, b2;
};

struct Forward {
  Doubles mean, z, gates, y;
};

std::size_t size(int a, int b, int c = 1) {
  return static_cast<std::size_t>(std::int64_t{a} * b * c);
}

Forward forward(const Inputs& in, const SqueezeExciteParams& p) {
  const std::size_t c = size(p.c, 1), r = size(p.r, 1), image = size(p.pixels, p.c);
  Forward f{Doubles(size(p.n, p.c)), {}, {}, Doubles(in.x.size())};
  for (std::size_t i = 0; i < in.x.size(); ++i) f.mean[i / image * c + i % c] += in.x[i] / p.pixels;
  for (std::size_t n = 0; n < size(p.n, 1); ++n) {
    for (std::size_t j = 0; j < r; ++j) {
      double z = in.b1[j];
      for (std::size_t i = 0; i < c; ++i) z += f.mean[n * c + i] * in.w1[i * r + j];
      f.z.push_back(z);
    }
    for (std::size_t j = 0; j < c; ++j) {
      double z = in.b2[j];
      for (std::size_t i = 0; i < r; ++i)
        z += f.z[n * r + i] * sigmoid(f.z[n * r + i]) * in.w2[i * c + j];
      f.gates.push_back(sigmoid(z));
    }
  }
  for (std::size_t i = 0; i < in.x.size(); ++i) f.y[i] = in.x[i] * f.gates[i / image * c + i % c];
  return f;
}

Inputs backward(const Inputs& in, const Doubles& dy, const SqueezeExciteParams& p) {
  const Forward f = forward(in, p);
  const std::size_t c = size(p.c, 1), r = size(p.r, 1), image = size(p.pixels, p.c);
  Doubles dgate(f.gates.size()), dmean(f.gates.size());
  Inputs d{Doubles(in.x.size()), Doubles(c * r), Doubles(r), Doubles(c * r), Doubles(c)};
  for (std::size_t i = 0; i < dy.size(); ++i) dgate[i / image * c + i % c] += dy[i] * in.x[i];
  for (std::size_t n = 0; n < size(p.n, 1); ++n) {
    for (std::size_t j = 0; j < c; ++j) {
      dgate[n * c + j] *= f.gates[n * c + j] * (1 - f.gates[n * c + j]);
      d.b2[j] += dgate[n * c + j];
    }
    for (std::size_t i = 0; i < r; ++i) {
      const double z = f.z[n * r + i], s = sigmoid(z);
      double dz = 0;
      for (std::size_t j = 0; j < c; ++j) {
        dz += dgate[n * c + j] * in.w2[i * c + j];
        d.w2[i * c + j] += z * s * dgate[n * c + j];
      }
      dz *= s * (1 + z * (1 - s));
      d.b1[i] += dz;
      for (std::size_t j = 0; j < c; ++j) {
        d.w1[j * r + i] += f.mean[n * c + j] * dz;
        dmean[n * c + j] += in.w1[j * r + i] * dz;
      }
    }
  }
  for (std::size_t i = 0; i < dy.size(); ++i) {
    const std::size_t at = i / image * c + i % c;
    d.x[i] = dy[i] * f.gates[at] + dmean[at] / p.pixels;
  }
  return d;
}

// Weights small enough for gates that differ.
template <class T>
struct Problem {
  SqueezeExciteParams p;
  std::vector<T> x, dy, w1, b1, w2, b2;

  explicit Problem(const SqueezeExciteParams& params)
      : p(params),
        x(random_values<T>(std::int64_t{p.n} * p.pixels * p.c, -1, 2, 1)),
        dy(random_values<T>(std::int64_t{p.n} * p.pixels * p.c, -1, 1, 2)),
        w1(random_values<T>(std::int64_t{p.c} * p.r, -scale(p.c), scale(p.c), 3)),
        b1(random_values<T>(p.r, -1, 1, 4)),
        w2(random_values<T>(std::int64_t{p.r} * p.c, -scale(p.r), scale(p.r), 5)),
        b2(random_values<T>(p.c, -1, 1, 6)) {}

  static float scale(int inputs) { return 3 / std::sqrt(static_cast<float>(inputs)); }
  Inputs inputs() const { return {doubles(x), doubles(w1), doubles(b1), doubles(w2), doubles(b2)}; }
};

// The device's side of a problem.
template <class T>
struct OnDevice {
  SqueezeExciteParams p;
  int shares = kernels::squeeze_excite_shares(p);
  Buffer<T> x, dy, w1, b1, w2, b2, y{std::int64_t{p.n} * p.pixels * p.c};
  Buffer<float> partial{std::int64_t{p.n} * shares * p.c}, gates{std::int64_t{p.n} * p.c},
      mean{std::int64_t{p.n} * p.c}, z{std::int64_t{p.n} * p.r}, dmean{std::int64_t{p.n} * p.c},
      dgate{std::int64_t{p.n} * p.c}, dz{std::int64_t{p.n} * p.r}, h{std::int64_t{p.n} * p.r},
      dw1{std::int64_t{p.c} * p.r}, db1{p.r}, dw2{std::int64_t{p.r} * p.c}, db2{p.c};

  explicit OnDevice(const Problem<T>& of)
      : p(of.p), x(of.x), dy(of.dy), w1(of.w1), b1(of.b1), w2(of.w2), b2(of.b2) {}

  kernels::SqueezeExciteWeights<T> weights() {
    return {w1.data(), b1.data(), w2.data(), b2.data()};
  }
  void forward() {
    kernels::squeeze_excite_sums(Cuda{}, partial.data(), x.data(), p);
    kernels::squeeze_excite_gates(Cuda{}, gates.data(), {mean.data(), z.data()}, partial.data(),
                                  shares, weights(), p);
    kernels::squeeze_excite_scale(Cuda{}, y.data(), x.data(), gates.data(), p);
  }
  // Leaves dx in y.
  void backward() {
    kernels::squeeze_excite_dots(Cuda{}, partial.data(), dy.data(), x.data(), p);
    kernels::squeeze_excite_gates_backward(
        Cuda{}, dmean.data(), {dw1.data(), db1.data(), dw2.data(), db2.data()},
        {dgate.data(), dz.data(), h.data()}, partial.data(), shares, gates.data(),
        {mean.data(), z.data()}, weights(), p);
    kernels::squeeze_excite_scale_backward(Cuda{}, y.data(), dy.data(), gates.data(), dmean.data(),
                                           p);
  }
};

// Beside the rounding to T the error of sums whose terms are about one.
template <class T>
constexpr Tolerance near_one{kernel_tolerance<T>.relative + 1e-5,
                             kernel_tolerance<T>.absolute + 1e-5};

template <class T>
class SqueezeExciteTest : public KernelTest {};
TYPED_TEST_SUITE(SqueezeExciteTest, StorageTypes);

TYPED_TEST(SqueezeExciteTest, IsTheDefinition) {
  for (const SqueezeExciteParams& p : cases()) {
    const Problem<TypeParam> problem(p);
    const Inputs in = problem.inputs(), expected = backward(in, doubles(problem.dy), p);
    const Forward f = forward(in, p);
    each_schedule([&] {
      OnDevice<TypeParam> device(problem);
      device.forward();
      EXPECT_EQ(difference(device.mean.read(), f.mean, near_one<float>), "") << to_string(p);
      EXPECT_EQ(difference(device.z.read(), f.z, near_one<float>), "") << to_string(p);
      EXPECT_EQ(difference(device.gates.read(), f.gates, near_one<float>), "") << to_string(p);
      EXPECT_EQ(difference(device.y.read(), f.y, near_one<TypeParam>), "") << to_string(p);
      device.backward();
      const auto expect = [&](const auto& got, const Doubles& gradient, const char* of) {
        EXPECT_EQ(difference(got.read(), gradient, {1e-5, 3e-5}), "") << of << ", " << to_string(p);
      };
      expect(device.dw1, expected.w1, "w1");
      expect(device.db1, expected.b1, "b1");
      expect(device.dw2, expected.w2, "w2");
      expect(device.db2, expected.b2, "b2");
      EXPECT_EQ(difference(device.y.read(), expected.x, near_one<TypeParam>), "") << to_string(p);
    });
  }
}

// The loss is the sum of dy y.
TEST_F(KernelTest, SqueezeExciteGradientsAreSlopesOfTheDefinition) {
  const Problem<float> problem({.n = 2, .pixels = 3, .c = 5, .r = 2});
  Inputs in = problem.inputs();
  const auto slopes = [&](Doubles& values) {
    Doubles result;
    for (double& value : values) {
      const auto loss = [&](double step) {
        value += step;
        const Doubles y = forward(in, problem.p).y;
        value -= step;
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * double{problem.dy[i]};
        return sum;
      };
      result.push_back((loss(1e-5) - loss(-1e-5)) / 2e-5);
    }
    return result;
  };
  const Inputs expected{slopes(in.x), slopes(in.w1), slopes(in.b1), slopes(in.w2), slopes(in.b2)};
  each_schedule([&] {
    OnDevice<float> device(problem);
    device.forward();
    device.backward();
    EXPECT_EQ(difference(device.y.read(), expected.x, near_one<float>), "");
    EXPECT_EQ(difference(device.dw1.read(), expected.w1, near_one<float>), "");
    EXPECT_EQ(difference(device.db1.read(), expected.b1, near_one<float>), "");
    EXPECT_EQ(difference(device.dw2.read(), expected.w2, near_one<float>), "");
    EXPECT_EQ(difference(device.db2.read(), expected.b2, near_one<float>), "");
  });
}

// Any number of them, as a depthwise convolution's epilogue leaves; nothing is kept.
TYPED_TEST(SqueezeExciteTest, GatesFromAnotherKernelsShares) {
  const Problem<TypeParam> problem({.n = 2, .pixels = 12544, .c = 12, .r = 5});
  for (const int shares : {3, 1500}) {
    const auto partials = random_values<float>(std::int64_t{2} * shares * 12, 0, 200, 7);
    SqueezeExciteParams one = problem.p;
    one.pixels = 1;
    Inputs in = problem.inputs();
    in.x.assign(2 * 12, 0);
    for (std::size_t i = 0; i < partials.size(); ++i)
      in.x[i / static_cast<std::size_t>(12 * shares) * 12 + i % 12] += double{partials[i]} / 12544;
    const Forward f = forward(in, one);
    each_schedule([&] {
      Buffer<TypeParam> w1(problem.w1), b1(problem.b1), w2(problem.w2), b2(problem.b2);
      Buffer<float> gates(2 * 12), partial(partials);
      kernels::squeeze_excite_gates<TypeParam>(
          Cuda{}, gates.data(), {nullptr, nullptr}, partial.data(), shares,
          {w1.data(), b1.data(), w2.data(), b2.data()}, problem.p);
      EXPECT_EQ(difference(gates.read(), f.gates, near_one<float>), "") << shares << " shares";
    });
  }
}

// More than the threads of the weights' gradients load at once.
TEST_F(KernelTest, SqueezeExciteOfManyImages) {
  if (few_shapes) GTEST_SKIP() << no_other_way;
  const Problem<bf16> problem({.n = 34, .pixels = 2, .c = 6, .r = 4});
  const Inputs expected = backward(problem.inputs(), doubles(problem.dy), problem.p);
  OnDevice<bf16> device(problem);
  device.forward();
  device.backward();
  EXPECT_EQ(difference(device.dw1.read(), expected.w1, {1e-5, 3e-5}), "");
  EXPECT_EQ(difference(device.dw2.read(), expected.w2, {1e-5, 3e-5}), "");
  EXPECT_EQ(difference(device.db2.read(), expected.b2, {1e-5, 3e-5}), "");
  EXPECT_EQ(difference(device.y.read(), expected.x, near_one<bf16>), "");
}

TYPED_TEST(SqueezeExciteTest, AnyAlignmentAndInPlace) {
  const Problem<TypeParam> problem({.n = 2, .pixels = 5, .c = 16, .r = 8});
  const auto shifted = [](auto values) {
    values.insert(values.begin(), values[0]);
    return values;
  };
  const Inputs in = problem.inputs();
  const Doubles y = forward(in, problem.p).y;
  const Inputs gradients = backward(in, doubles(problem.dy), problem.p);
  each_schedule([&] {
    OnDevice<TypeParam> device(problem);
    Buffer<TypeParam> x(shifted(problem.x)), dy(shifted(problem.dy)), w1(shifted(problem.w1)),
        b1(shifted(problem.b1)), w2(shifted(problem.w2)), b2(shifted(problem.b2));
    const kernels::SqueezeExciteWeights<TypeParam> weights{w1.data() + 1, b1.data() + 1,
                                                           w2.data() + 1, b2.data() + 1};
    Buffer<float> gates(std::int64_t{33}), dgate(std::int64_t{33}), dw(std::int64_t{129});
    const auto& p = problem.p;
    kernels::squeeze_excite_sums(Cuda{}, device.partial.data(), x.data() + 1, p);
    kernels::squeeze_excite_gates(Cuda{}, gates.data() + 1, {device.mean.data(), device.z.data()},
                                  device.partial.data(), device.shares, weights, p);
    kernels::squeeze_excite_dots(Cuda{}, device.partial.data(), dy.data() + 1, x.data() + 1, p);
    kernels::squeeze_excite_gates_backward(
        Cuda{}, device.dmean.data(),
        {dw.data() + 1, device.db1.data(), device.dw2.data(), device.db2.data()},
        {dgate.data() + 1, device.dz.data(), device.h.data()}, device.partial.data(), device.shares,
        gates.data() + 1, {device.mean.data(), device.z.data()}, weights, p);
    kernels::squeeze_excite_scale(Cuda{}, x.data() + 1, x.data() + 1, gates.data() + 1, p);
    kernels::squeeze_excite_scale_backward(Cuda{}, dy.data() + 1, dy.data() + 1, gates.data() + 1,
                                           device.dmean.data(), p);
    const auto rest = [](const auto& buffer) {
      const std::vector all = buffer.read();
      return std::vector(all.begin() + 1, all.end());
    };
    EXPECT_EQ(difference(rest(x), y, near_one<TypeParam>), "");
    EXPECT_EQ(difference(rest(dy), gradients.x, near_one<TypeParam>), "");
    EXPECT_EQ(difference(rest(dw), gradients.w1, near_one<float>), "");
  });
}

TEST_F(KernelTest, SqueezeExciteOfNothing) {
  for (const SqueezeExciteParams& p :
       {SqueezeExciteParams{0, 4, 4, 2}, {1, 0, 4, 2}, {1, 4, 0, 2}}) {
    kernels::squeeze_excite_sums<float>(Cuda{}, nullptr, nullptr, p);
    kernels::squeeze_excite_gates<float>(Cuda{}, nullptr, {}, nullptr, 1, {}, p);
    kernels::squeeze_excite_scale<float>(Cuda{}, nullptr, nullptr, nullptr, p);
    kernels::squeeze_excite_gates_backward<float>(Cuda{}, nullptr, {}, {}, nullptr, 1, nullptr, {},
                                                  {}, p);
  }
}

}  // namespace
}  // namespace mien::test
