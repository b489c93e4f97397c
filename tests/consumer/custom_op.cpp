// Ops that a program outside mien defines for itself, in the two ways of docs/adding_an_op.md: from
// Math over vectors (softsign.hpp), and as a struct with plain loops.

#include <cmath>
#include <cstdio>
#include <vector>

#include <mien/autograd/gradcheck.hpp>
#include <mien/ops/add.hpp>

#include "softsign.hpp"

namespace app {

// y = x / (c + |x|) with an attribute c > 0.
struct SoftsignLoop {
  static constexpr std::string_view name = "softsign_loop";
  double c = 1;

  mien::Shape shape(std::span<const mien::Shape> in) const { return in[0]; }

  template <class T>
  mien::Tensor<T> forward(mien::Context<T>& ctx, mien::Inputs<T> in) {
    const mien::Tensor<T>& x = in[0];
    const mien::Tensor<T> y(x.shape());
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const double value = x.data()[i];
      y.mutable_data()[i] = static_cast<T>(value / (c + std::abs(value)));
    }
    ctx.save(x);
    return y;
  }

  template <class T>
  mien::Gradients<T> backward(const mien::Context<T>& ctx, const mien::Tensor<T>& dy) const {
    const mien::Tensor<T>& x = ctx.saved(0);
    const mien::Tensor<T> dx(x.shape());
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      const double width = c + std::abs(static_cast<double>(x.data()[i]));
      dx.mutable_data()[i] =
          static_cast<T>(static_cast<double>(dy.data()[i]) * c / (width * width));
    }
    return {dx};
  }
};

template <mien::FloatElement T>
mien::Tensor<T> softsign_loop(const mien::Tensor<T>& x, double c = 1) {
  return mien::apply(SoftsignLoop{c}, {x});
}

}  // namespace app

namespace {

using Inputs = std::vector<mien::Tensor<double>>;

bool agree(const mien::Tensor<float>& a, const mien::Tensor<float>& b) {
  for (std::int64_t i = 0; i < a.numel(); ++i)
    if (!(std::abs(a.data()[i] - b.data()[i]) <= 1e-6f)) return false;
  return a.shape() == b.shape();
}

int fail(const std::string& what) {
  std::fprintf(stderr, "custom_op: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main() {
  mien::Generator generator(1);
  const auto x = mien::rand<float>({3, 5, 7}, generator, -4, 4);
  if (!agree(app::softsign(x), app::softsign_loop(x))) return fail("the two ways differ");
  if (app::softsign(mien::Tensor<float>::scalar(-3)).item() != -0.75f) return fail("wrong value");

  auto z = mien::rand<double>({4, 9}, generator, -4, 4);
  z.set_requires_grad();
  const auto model = [](const Inputs& in) {
    return app::softsign(in[0]) + app::softsign_loop(in[0], 0.5);
  };
  if (const std::string difference = mien::gradcheck(model, {z}); !difference.empty())
    return fail(difference);
  std::puts("OK");
}
