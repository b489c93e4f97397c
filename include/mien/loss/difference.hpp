#pragma once
// Makes an op of a loss of differences. Such a loss (mse.hpp) states only
//   name                for errors and tests
//   value(d), slope(d)  of one difference d = x - y, and its derivative
// and the result is the mean or the sum of value(x_i - y_i) over the elements that count.

#include <mien/loss/terms.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace loss {
struct DifferenceOptions {
  Tensor<bool> mask = {};  // of the shape of x or its leading dimensions; none: all count
  Reduction reduction = Reduction::mean;
};
}  // namespace loss

namespace ops {

template <class Measure>
struct Difference {
  static constexpr std::string_view name = Measure::name;
  loss::DifferenceOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    check(in[1] == in[0], name, "expected y of the shape of x, ", in[0], ", got ", in[1]);
    mask(in[0]);
    return {};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const loss::Mask counts = mask(in[0].shape());
    double sum = 0;
    for (std::int64_t i = 0; i < in[0].numel(); ++i)
      if (counts(i)) sum += Measure::value(difference(in[0], in[1], i));
    return Tensor<T>::scalar(static_cast<T>(sum / divisor(in[0].shape())));
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>&x = in[0], &y = in[1];
    const loss::Mask counts = mask(x.shape());
    const double sum = with_device(x.device(), [&](Cpu) {
      return loss::sum_terms(x.numel(), 1, [&](std::int64_t i) {
        return counts(i) ? Measure::value(difference(x, y, i)) : 0;
      });
    });
    ctx.save(x, y);
    return Tensor<T>::scalar(static_cast<T>(sum / divisor(x.shape())));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>&x = ctx.saved(0), &y = ctx.saved(1);
    const loss::Mask counts = mask(x.shape());
    const auto gradient = [&](double factor) {
      return loss::tensor_of<T>(x.shape(), [&](std::int64_t i) {
        return counts(i) ? factor * Measure::slope(difference(x, y, i)) : 0;
      });
    };
    const double factor = static_cast<double>(dy.item()) / divisor(x.shape());
    Gradients<T> gradients(2);
    if (ctx.needs(0)) gradients[0] = gradient(factor);
    if (ctx.needs(1)) gradients[1] = gradient(-factor);
    return gradients;
  }

  static std::vector<Sample<Difference>> samples() {
    const auto rows = Tensor<bool>::from({4}, {true, false, true, true});
    const std::string torch = str("F.", name, "_loss");
    return {{"mean", {}, {{{4, 3}}, {{4, 3}}}, torch + "(x[0], x[1])"},
            {"rows",
             {{.mask = rows}},
             {{{4, 3}}, {{4, 3}}},
             torch + "(x[0][[0, 2, 3]], x[1][[0, 2, 3]])"},
            {"sum",
             {{.reduction = loss::Reduction::sum}},
             {{{2, 3, 5}}, {{2, 3, 5}}},
             torch + "(x[0], x[1], reduction='sum')"}};
  }

 private:
  template <class T>
  static double difference(const Tensor<T>& x, const Tensor<T>& y, std::int64_t i) {
    return static_cast<double>(x.data()[i]) - static_cast<double>(y.data()[i]);
  }
  loss::Mask mask(const Shape& x) const { return loss::Mask(options.mask, x, name); }
  double divisor(const Shape& x) const {
    return options.reduction == loss::Reduction::sum ? 1 : static_cast<double>(mask(x).count());
  }
};

}  // namespace ops
}  // namespace mien
