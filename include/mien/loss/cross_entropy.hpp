#pragma once
// Cross-entropy of logits z (n, c) and labels t (n), with weights w of the classes and label
// smoothing e: torch.nn.functional.cross_entropy.
//
//   loss = 1/D sum over rows of -sum over c of q_c log softmax(z)_c
//   q_c = w_c ((1 - e) [c = t] + e/C)
//
// D is the sum of w_t over the rows (weighted_mean), the number of rows (mean) or 1 (sum). Rows
// whose label is ignore_index do not count; where none is left, a mean is NaN and the gradient
// zero. Smoothing: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision",
// CVPR 2016.

#include <mien/loss/class_shares.hpp>
#include <mien/loss/terms.hpp>
#include <mien/ops/op.hpp>

namespace mien {

namespace loss {

// weighted_mean is what PyTorch calls mean.
enum class ClassReduction { weighted_mean, mean, sum };

struct CrossEntropyOptions {
  Tensor<double> weight = {};  // (c); none: ones
  double label_smoothing = 0;  // 0 to 1
  ClassReduction reduction = ClassReduction::weighted_mean;
  std::int64_t ignore_index = -100;
};

}  // namespace loss

namespace ops {

struct CrossEntropy {
  static constexpr std::string_view name = "cross_entropy";
  Tensor<std::int64_t> labels = {};  // dense
  loss::CrossEntropyOptions options = {};

  Shape shape(std::span<const Shape> in) const {
    const Shape& z = in[0];
    check(z.rank() == 2 && z[1] > 0, name, "expected logits (n, c), got shape ", z);
    check(labels.shape() == Shape{z[0]}, name, "expected labels of shape ", Shape{z[0]}, ", got ",
          labels.shape());
    check(options.label_smoothing >= 0 && options.label_smoothing <= 1, name,
          "expected label_smoothing from 0 to 1, got ", options.label_smoothing);
    weights(z[1]);
    for (std::int64_t row = 0; row < z[0]; ++row)
      check(!counts(row) || (label(row) >= 0 && label(row) < z[1]), name,
            "expected labels from 0 to ", z[1] - 1, " or ", options.ignore_index, ", got ",
            label(row), " in row ", row);
    return {};
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in) const {
    const Tensor<T>& z = in[0];
    double loss = 0;
    for (std::int64_t row = 0; row < z.dim(0); ++row) {
      if (!counts(row)) continue;
      double sum = 0;
      for (std::int64_t c = 0; c < z.dim(1); ++c) sum += std::exp(static_cast<double>(z(row, c)));
      for (std::int64_t c = 0; c < z.dim(1); ++c)
        loss -= share(weights(z.dim(1)), row, c, z.dim(1)) *
                std::log(std::exp(static_cast<double>(z(row, c))) / sum);
    }
    return Tensor<T>::scalar(static_cast<T>(loss / divisor(z.shape())));
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in) {
    const Tensor<T>& z = in[0];
    const std::int64_t classes = z.dim(1);
    const loss::Weights w = weights(classes);
    const double sum = with_device(z.device(), [&](Cpu) {
      return loss::sum_terms(z.dim(0), 32 * classes, [&](std::int64_t row) {
        const auto q = [&](std::int64_t c) { return share(w, row, c, classes); };
        return counts(row) ? loss::row_loss(z.data() + row * classes, classes, q) : 0;
      });
    });
    ctx.save(z);
    return Tensor<T>::scalar(static_cast<T>(sum / divisor(z.shape())));
  }

  template <class T>
  Gradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    const Tensor<T>& z = ctx.saved(0);
    const std::int64_t classes = z.dim(1);
    const loss::Weights w = weights(classes);
    const double factor = static_cast<double>(dy.item()) / divisor(z.shape());
    const auto dz = Tensor<T>::zeros(z.shape());
    T* const out = dz.mutable_data();
    for (std::int64_t row = 0; row < z.dim(0); ++row) {
      const auto q = [&](std::int64_t c) { return share(w, row, c, classes); };
      if (counts(row))
        loss::row_gradient(out + row * classes, z.data() + row * classes, classes, factor, q);
    }
    return {dz};
  }

  static std::vector<Sample<CrossEntropy>> samples() {
    using loss::ClassReduction;
    const auto torch = [](const std::string& options) {
      return str("F.cross_entropy(x[0], torch.tensor([3, 0, -100, 4, 4, 1])", options, ")");
    };
    const auto labels = Tensor<std::int64_t>::from({6}, {3, 0, -100, 4, 4, 1});
    const auto weight = Tensor<double>::from({5}, {0.5, 1.5, 2, 0.25, 1});
    const std::string weighted = ", weight=x[0].new_tensor([0.5, 1.5, 2, 0.25, 1])";
    const std::vector<SampleInput> logits = {{{6, 5}, -4, 4}};
    return {
        {"plain", {.labels = labels}, logits, torch("")},
        {"weighted_mean", {labels, {.weight = weight}}, logits, torch(weighted)},
        {"mean",
         {labels, {.weight = weight, .reduction = ClassReduction::mean}},
         logits,
         torch(weighted + ", reduction='sum'") + " / 5"},
        {"smoothed_sum",
         {labels, {.weight = weight, .label_smoothing = 0.125, .reduction = ClassReduction::sum}},
         logits,
         torch(weighted + ", label_smoothing=0.125, reduction='sum'")},
    };
  }

 private:
  std::int64_t label(std::int64_t row) const { return labels.data()[row]; }
  bool counts(std::int64_t row) const { return label(row) != options.ignore_index; }
  loss::Weights weights(std::int64_t classes) const {
    return loss::Weights(options.weight, classes, name, "weight");
  }
  double share(const loss::Weights& w, std::int64_t row, std::int64_t c,
               std::int64_t classes) const {
    const double e = options.label_smoothing;
    return w(c) * ((c == label(row) ? 1 - e : 0) + e / static_cast<double>(classes));
  }
  double divisor(const Shape& z) const {
    if (options.reduction == loss::ClassReduction::sum) return 1;
    const loss::Weights w = weights(z[1]);
    double sum = 0;
    for (std::int64_t row = 0; row < z[0]; ++row)
      if (counts(row)) sum += options.reduction == loss::ClassReduction::mean ? 1 : w(label(row));
    return sum;
  }
};

}  // namespace ops

namespace loss {

// logits (n, c), labels (n) from 0 to c - 1 or ignore_index; the result is a scalar.
template <FloatElement T>
Tensor<T> cross_entropy(const Tensor<T>& logits, const Tensor<std::int64_t>& labels,
                        const CrossEntropyOptions& options = {}) {
  return apply(ops::CrossEntropy{labels.dense(), options}, {logits});
}

}  // namespace loss
}  // namespace mien
