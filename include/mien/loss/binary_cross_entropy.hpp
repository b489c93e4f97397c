#pragma once
// Binary cross-entropy of logits x and labels y, both (..., c), with weights of the negative and
// the positive labels of each unit and a mask of the labels that are there:
//
//   loss = 1/D sum of w1 y softplus(-x) + w0 (1 - y) softplus(x)
//
// over the elements that count; D is their number (mean) or 1 (sum). For labels 0 and 1 that is
// w0^(1-y) w1^y BCE; positive_weight alone is pos_weight of PyTorch's
// binary_cross_entropy_with_logits. softplus(x) = max(x, 0) + log(1 + exp(-|x|)): neither side
// overflows nor cancels.

#include <algorithm>
#include <cmath>

#include <mien/loss/terms.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace loss {
struct BinaryCrossEntropyOptions {
  Tensor<double> negative_weight = {}, positive_weight = {};  // (c); none: ones
  Tensor<bool> mask = {};  // of the labels' shape or its leading dimensions; none: all count
  Reduction reduction = Reduction::mean;
};
}  // namespace loss

namespace ops {

struct BinaryCrossEntropy {
  static constexpr std::string_view name = "binary_cross_entropy_with_logits";
  loss::BinaryCrossEntropyOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    check(in[0].rank() > 0, name, "expected logits (..., c), got a scalar");
    check(in[1] == in[0], name, "expected labels of shape ", in[0], ", got ", in[1]);
    mask(in[0]);
    weights(in[0]);
    return {};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const auto [w0, w1] = weights(in[0].shape());
    const loss::Mask counts = mask(in[0].shape());
    double sum = 0;
    for (std::int64_t i = 0; i < in[0].numel(); ++i) {
      const auto x = static_cast<double>(in[0].data()[i]), y = static_cast<double>(in[1].data()[i]);
      const double p = 1 / (1 + std::exp(-x));
      const std::int64_t c = i % in[0].dim(-1);
      if (counts(i)) sum -= w1(c) * y * std::log(p) + w0(c) * (1 - y) * std::log(1 - p);
    }
    return Tensor<T>::scalar(static_cast<T>(sum / divisor(in[0].shape())));
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const T *x = in[0].data(), *y = in[1].data();
    const auto [w0, w1] = weights(in[0].shape());
    const auto term = [&, &w0 = w0, &w1 = w1](double logit, double label, std::int64_t i) {
      check(label >= 0 && label <= 1, name, "expected labels from 0 to 1, got ", label,
            " in element ", i);
      const std::int64_t c = i % in[0].dim(-1);
      return w1(c) * label * softplus(-logit) + w0(c) * (1 - label) * softplus(logit);
    };
    const loss::Mask counts = mask(in[0].shape());
    const double sum = with_device(in[0].device(), [&](Cpu) {
      return loss::sum_terms(in[0].numel(), 64, [&](std::int64_t i) {
        return counts(i) ? term(static_cast<double>(x[i]), static_cast<double>(y[i]), i) : 0;
      });
    });
    ctx.save(in[0], in[1]);
    return Tensor<T>::scalar(static_cast<T>(sum / divisor(in[0].shape())));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Shape& shape = ctx.shape(0);
    const T *logits = ctx.saved(0).data(), *labels = ctx.saved(1).data();
    const auto [w0, w1] = weights(shape);
    const loss::Mask counts = mask(shape);
    const double factor = static_cast<double>(dy.item()) / divisor(shape);
    const auto gradient = [&, &w0 = w0, &w1 = w1](auto&& slope) {
      return loss::tensor_of<T>(shape, [&](std::int64_t i) {
        const std::int64_t c = i % shape[-1];
        const auto x = static_cast<double>(logits[i]), y = static_cast<double>(labels[i]);
        return counts(i) ? factor * slope(x, y, w0(c), w1(c)) : 0;
      });
    };
    Gradients<T> gradients(2);
    if (ctx.needs(0))
      gradients[0] = gradient([](double x, double y, double negative, double positive) {
        return negative * (1 - y) * sigmoid(x) - positive * y * sigmoid(-x);
      });
    if (ctx.needs(1))
      gradients[1] = gradient([](double x, double, double negative, double positive) {
        return positive * softplus(-x) - negative * softplus(x);
      });
    return gradients;
  }

  static std::vector<Sample<BinaryCrossEntropy>> samples() {
    const auto w0 = Tensor<double>::from({3}, {0.5, 1.5, 2});
    const auto w1 = Tensor<double>::from({3}, {1.25, 0, 0.75});
    const auto rows = Tensor<bool>::from({4}, {true, false, true, true});
    const std::vector<SampleInput> inputs = {{{4, 3}, -4, 4}, {{4, 3}, 0.1, 0.9}};
    return {{"plain", {}, inputs, "F.binary_cross_entropy_with_logits(x[0], x[1])"},
            {"weighted",
             {{.negative_weight = w0, .positive_weight = w1}},
             inputs,
             "-(x[0].new_tensor([1.25, 0, 0.75]) * x[1] * F.logsigmoid(x[0])"
             " + x[0].new_tensor([0.5, 1.5, 2]) * (1 - x[1]) * F.logsigmoid(-x[0])).mean()"},
            {"masked_sum",
             {{.positive_weight = w0, .mask = rows, .reduction = loss::Reduction::sum}},
             inputs,
             "F.binary_cross_entropy_with_logits(x[0][[0, 2, 3]], x[1][[0, 2, 3]],"
             " pos_weight=x[0].new_tensor([0.5, 1.5, 2]), reduction='sum')"}};
  }

 private:
  struct UnitWeights {
    loss::Weights negative, positive;
  };

  static double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }
  static double sigmoid(double x) {
    const double e = std::exp(-std::abs(x));
    return (x >= 0 ? 1 : e) / (1 + e);
  }

  UnitWeights weights(const Shape& x) const {
    return {loss::Weights(options.negative_weight, x[-1], name, "negative_weight"),
            loss::Weights(options.positive_weight, x[-1], name, "positive_weight")};
  }
  loss::Mask mask(const Shape& x) const { return loss::Mask(options.mask, x, name); }
  double divisor(const Shape& x) const {
    return options.reduction == loss::Reduction::sum ? 1 : static_cast<double>(mask(x).count());
  }
};

}  // namespace ops

namespace loss {

// logits, labels (..., c), labels from 0 to 1 where they count; the result is a scalar.
template <FloatElement T>
Tensor<T> binary_cross_entropy_with_logits(const Tensor<T>& logits, const Tensor<T>& labels,
                                           const BinaryCrossEntropyOptions& options = {}) {
  return apply(ops::BinaryCrossEntropy{options}, {logits, labels});
}

}  // namespace loss
}  // namespace mien
