#pragma once
// Cross-entropy of logits z (n, c) and probabilities y (n, c), with weights w of the classes and
// label smoothing e: torch.nn.functional.cross_entropy of class probabilities.
//
//   loss = 1/D sum over rows of -sum over c of q_c log softmax(z)_c
//   q_c = w_c ((1 - e) y_c + e/C)
//
// D is the number of rows (mean; weights do not count in it) or 1 (sum). Rows of y need not add up
// to one. The gradient reaches y as well, as distillation between two trained networks needs.

#include <mien/loss/class_shares.hpp>
#include <mien/loss/terms.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace loss {
struct SoftCrossEntropyOptions {
  Tensor<double> weight = {};  // (c); none: ones
  double label_smoothing = 0;  // 0 to 1
  Reduction reduction = Reduction::mean;
};
}  // namespace loss

namespace ops {

struct SoftCrossEntropy {
  static constexpr std::string_view name = "soft_cross_entropy";
  loss::SoftCrossEntropyOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape& z = in[0];
    check(z.rank() == 2 && z[1] > 0, name, "expected logits (n, c), got shape ", z);
    check(in[1] == z, name, "expected probabilities of shape ", z, ", got ", in[1]);
    check(options.label_smoothing >= 0 && options.label_smoothing <= 1, name,
          "expected label_smoothing from 0 to 1, got ", options.label_smoothing);
    weights(z[1]);
    return {};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>&z = in[0], &y = in[1];
    double loss = 0;
    for (std::int64_t row = 0; row < z.dim(0); ++row) {
      double sum = 0;
      for (std::int64_t c = 0; c < z.dim(1); ++c) sum += std::exp(static_cast<double>(z(row, c)));
      for (std::int64_t c = 0; c < z.dim(1); ++c)
        loss -= share(weights(z.dim(1)), y.data() + row * z.dim(1), c, z.dim(1)) *
                std::log(std::exp(static_cast<double>(z(row, c))) / sum);
    }
    return Tensor<T>::scalar(static_cast<T>(loss / divisor(z.shape())));
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>&z = in[0], &y = in[1];
    const std::int64_t classes = z.dim(1);
    const loss::Weights w = weights(classes);
    const double sum = with_device(z.device(), [&](Cpu) {
      return loss::sum_terms(z.dim(0), 32 * classes, [&](std::int64_t row) {
        const T* const of_row = y.data() + row * classes;
        const auto q = [&](std::int64_t c) { return share(w, of_row, c, classes); };
        return loss::row_loss(z.data() + row * classes, classes, q);
      });
    });
    ctx.save(z, y);
    return Tensor<T>::scalar(static_cast<T>(sum / divisor(z.shape())));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>&z = ctx.saved(0), &y = ctx.saved(1);
    const std::int64_t classes = z.dim(1);
    const loss::Weights w = weights(classes);
    const double factor = static_cast<double>(dy.item()) / divisor(z.shape());
    Gradients<T> gradients(2);
    for (std::size_t i = 0; i < 2; ++i)
      if (ctx.needs(static_cast<int>(i))) gradients[i] = Tensor<T>(z.shape());
    T *dz = gradients[0].mutable_data(), *dp = gradients[1].mutable_data();
    for (std::int64_t at = 0; at < z.numel(); at += classes) {
      const auto q = [&](std::int64_t c) { return share(w, y.data() + at, c, classes); };
      if (dz != nullptr) loss::row_gradient(dz + at, z.data() + at, classes, factor, q);
      if (dp == nullptr) continue;
      const loss::LogSoftmaxRow<T> log_p(z.data() + at, classes);
      for (std::int64_t c = 0; c < classes; ++c)
        dp[at + c] = static_cast<T>(-factor * w(c) * (1 - options.label_smoothing) * log_p(c));
    }
    return gradients;
  }

  static std::vector<Sample<SoftCrossEntropy>> samples() {
    const auto torch = [](const char* options) {
      return str("F.cross_entropy(x[0], x[1], weight=x[0].new_tensor([0.5, 1.5, 2, 0.25, 1])",
                 options, ")");
    };
    const auto weight = Tensor<double>::from({5}, {0.5, 1.5, 2, 0.25, 1});
    const std::vector<SampleInput> inputs = {{{6, 5}, -4, 4}, {{6, 5}, 0, 0.4}};
    return {{"plain", {}, inputs, "F.cross_entropy(x[0], x[1])"},
            {"weighted", {{.weight = weight}}, inputs, torch("")},
            {"smoothed_sum",
             {{.weight = weight, .label_smoothing = 0.125, .reduction = loss::Reduction::sum}},
             inputs,
             torch(", label_smoothing=0.125, reduction='sum'")}};
  }

 private:
  loss::Weights weights(std::int64_t classes) const {
    return loss::Weights(options.weight, classes, name, "weight");
  }
  template <class T>
  double share(const loss::Weights& w, const T* y, std::int64_t c, std::int64_t classes) const {
    const double e = options.label_smoothing;
    return w(c) * ((1 - e) * static_cast<double>(y[c]) + e / static_cast<double>(classes));
  }
  double divisor(const Shape& z) const {
    return options.reduction == loss::Reduction::sum ? 1 : static_cast<double>(z[0]);
  }
};

}  // namespace ops

namespace loss {

// logits, probabilities (n, c); the result is a scalar.
template <FloatElement T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Tensor<T>& probabilities,
                        const SoftCrossEntropyOptions& options = {}) {
  return apply(ops::SoftCrossEntropy{options}, {logits, probabilities});
}

}  // namespace loss
}  // namespace mien
