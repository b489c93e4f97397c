#pragma once
// One minus the concordance correlation coefficient of predictions x and labels y, (n) or (n, k):
// the mean of 1 - ccc over the k columns.
//
//   ccc = 2 s_xy / (D + epsilon),   D = s_x^2 + s_y^2 + (m_x - m_y)^2
//   dccc/dx_i = 2 / (n (D + epsilon)) ((y_i - m_y) - ccc (x_i - m_y))
//
// with moments of the population over the n rows that a mask leaves (core/pair_moments.hpp). A
// column of fewer than two rows has no concordance: its ccc is 0, its gradient zero. A coefficient
// of a batch is no mean of those of its parts.

#include <mien/core/pair_moments.hpp>
#include <mien/loss/terms.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace loss {
struct CccOptions {
  Tensor<bool> mask = {};  // of the shape of x, or (n); none: all rows count
  double epsilon = 1e-7;   // keeps equal constants defined; that of Keras
};
}  // namespace loss

namespace ops {

struct Ccc {
  static constexpr std::string_view name = "ccc";
  loss::CccOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    check(in[0].rank() == 1 || (in[0].rank() == 2 && in[0][1] > 0), name,
          "expected x (n) or (n, k), got shape ", in[0]);
    check(in[1] == in[0], name, "expected y of the shape of x, ", in[0], ", got ", in[1]);
    check(options.epsilon >= 0, name, "expected an epsilon of at least 0, got ", options.epsilon);
    loss::Mask(options.mask, in[0], name);
    return {};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const loss::Mask counts(options.mask, in[0].shape(), name);
    const std::int64_t k = columns(in[0].shape());
    double loss = 0;
    for (std::int64_t column = 0; column < k; ++column) {
      double n = 0, x = 0, y = 0, squares = 0, xy = 0;
      for (std::int64_t i = column; i < in[0].numel(); i += k) {
        if (!counts(i)) continue;
        const auto p = static_cast<double>(in[0].data()[i]);
        const auto q = static_cast<double>(in[1].data()[i]);
        n += 1, x += p, y += q, squares += p * p + q * q, xy += p * q;
      }
      // s_x^2 + s_y^2 + (m_x - m_y)^2 = (sum of x^2 + y^2) / n - 2 m_x m_y
      const double cross = x / n * y / n;
      loss += 1 - 2 * (xy / n - cross) / (squares / n - 2 * cross + options.epsilon);
    }
    return Tensor<T>::scalar(static_cast<T>(loss / static_cast<double>(k)));
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const std::int64_t k = columns(in[0].shape());
    double loss = 0;
    with_device(in[0].device(), [&](Cpu) {
      for (std::int64_t column = 0; column < k; ++column)
        loss += 1 - moments(in[0], in[1], column).concordance(options.epsilon);
    });
    ctx.save(in[0], in[1]);
    return Tensor<T>::scalar(static_cast<T>(loss / static_cast<double>(k)));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>&x = ctx.saved(0), &y = ctx.saved(1);
    const loss::Mask counts(options.mask, x.shape(), name);
    const std::int64_t k = columns(x.shape());
    Gradients<T> gradients(2);
    for (std::size_t i = 0; i < 2; ++i)
      if (ctx.needs(static_cast<int>(i))) gradients[i] = Tensor<T>::zeros(x.shape());
    T *const to_x = gradients[0].mutable_data(), *const to_y = gradients[1].mutable_data();
    for (std::int64_t column = 0; column < k; ++column) {
      const PairMoments m = moments(x, y, column);
      if (m.count < 2) continue;
      const double ccc = m.concordance(options.epsilon), apart = m.mean_difference();
      const double slope = -2 * static_cast<double>(dy.item()) /
                           (static_cast<double>(m.count * k) * (m.spread() + options.epsilon));
      for (std::int64_t i = column; i < x.numel(); i += k) {
        if (!counts(i)) continue;
        const double p = m.from_mean_x(static_cast<double>(x.data()[i]));
        const double q = m.from_mean_y(static_cast<double>(y.data()[i]));
        // x_i - m_y = (x_i - m_x) + (m_x - m_y)
        if (to_x != nullptr) to_x[i] = static_cast<T>(slope * (q - ccc * (p + apart)));
        if (to_y != nullptr) to_y[i] = static_cast<T>(slope * (p - ccc * (q - apart)));
      }
    }
    return gradients;
  }

  static std::vector<Sample<Ccc>> samples() {
    const auto torch = [](const char* rows, double epsilon) {
      return str(
          "(lambda x, y: 1 - 2 * ((x - x.mean(0)) * (y - y.mean(0))).mean(0) / (x.var(0, False)",
          " + y.var(0, False) + (x.mean(0) - y.mean(0)) ** 2 + ", epsilon, "))(x[0]", rows,
          ", x[1]", rows, ").mean()");
    };
    const auto rows = Tensor<bool>::from({7}, {true, true, false, true, true, false, true});
    return {{"one", {}, {{{9}}, {{9}}}, torch("", 1e-7)},
            {"columns", {{.epsilon = 0.25}}, {{{7, 3}}, {{7, 3}}}, torch("", 0.25)},
            {"rows", {{.mask = rows}}, {{{7, 2}}, {{7, 2}}}, torch("[[0, 1, 3, 4, 6]]", 1e-7)}};
  }

 private:
  static std::int64_t columns(const Shape& x) { return x.rank() == 1 ? 1 : x[1]; }

  template <class T>
  PairMoments moments(const Tensor<T>& x, const Tensor<T>& y, std::int64_t column) const {
    const loss::Mask counts(options.mask, x.shape(), name);
    const std::int64_t k = columns(x.shape());
    return pair_moments([&](auto&& add) {
      for (std::int64_t i = column; i < x.numel(); i += k)
        if (counts(i)) add(static_cast<double>(x.data()[i]), static_cast<double>(y.data()[i]));
    });
  }
};

}  // namespace ops

namespace loss {

// x, y (n) or (n, k); the result is a scalar.
template <FloatElement T>
Tensor<T> ccc(const Tensor<T>& x, const Tensor<T>& y, const CccOptions& options = {}) {
  return apply(ops::Ccc{options}, {x, y});
}

}  // namespace loss
}  // namespace mien
