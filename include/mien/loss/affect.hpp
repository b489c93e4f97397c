#pragma once
// The multi-task loss of expression, valence and arousal: equation (1) of Savchenko, "HSE-NN Team
// at the 4th ABAW Competition", 2022.
//
//   L = a CE_w(z, e) + b (1 - CCC(z_V, V)) + c (1 - CCC(z_A, A)),   a = 1, b = c = 0.5
//
// outputs (n, C + 2): logits of C expressions, valence, arousal. CE_w is the cross-entropy with
// weights w of the classes, max(N) / N_c in the paper (class_weights.hpp). The authors' program
// divides it by the sum of the batch's weights (weighted_mean); equation (1) itself is `mean`.

#include <type_traits>

#include <mien/loss/ccc.hpp>
#include <mien/loss/cross_entropy.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/scale_shift.hpp>
#include <mien/ops/slice.hpp>

namespace mien::loss {

template <FloatElement T>
struct AffectLabels {
  Tensor<std::int64_t> expression;  // (n); ignore_index where there is none
  Tensor<T> valence, arousal;       // (n)
  Tensor<bool> has_va = {};         // (n): rows whose valence and arousal are known; none: all
};

// Scalars: the total, and the terms before weighting for the log.
template <FloatElement T>
struct AffectTerms {
  Tensor<T> total, expression, valence, arousal;
};

//   const loss::AffectLoss loss{.cross_entropy = {.weight = loss::class_weights(counts)}};
//   loss(outputs, {.expression = e, .valence = v, .arousal = a}).total.backward();
struct AffectLoss {
  CrossEntropyOptions cross_entropy = {};
  double expression = 1, valence = 0.5, arousal = 0.5;  // weights of the terms
  double epsilon = CccOptions{}.epsilon;

  // In a batch without expressions their term is 0, in one with fewer than two rows of valence and
  // arousal those terms are 1; neither has a gradient then.
  template <FloatElement T>
  AffectTerms<T> operator()(const Tensor<T>& outputs,
                            const std::type_identity_t<AffectLabels<T>>& labels) const {
    check(outputs.rank() == 2 && outputs.dim(1) > 2, "affect_loss",
          "expected outputs (n, classes + 2), got shape ", outputs.shape());
    const std::int64_t classes = outputs.dim(1) - 2;
    const CccOptions rows{.mask = labels.has_va, .epsilon = epsilon};
    AffectTerms<T> terms;
    terms.expression = loss::cross_entropy(slice(outputs, {.dim = 1, .stop = classes}),
                                           labels.expression, options_for(labels.expression));
    terms.valence = ccc(select(outputs, 1, classes), labels.valence, rows);
    terms.arousal = ccc(select(outputs, 1, classes + 1), labels.arousal, rows);
    terms.total = expression * terms.expression + valence * terms.valence + arousal * terms.arousal;
    return terms;
  }

 private:
  // The mean of no rows is NaN, their sum is 0.
  CrossEntropyOptions options_for(const Tensor<std::int64_t>& labels) const {
    CrossEntropyOptions options = cross_entropy;
    const Tensor<std::int64_t> dense = labels.dense();
    for (std::int64_t i = 0; i < dense.numel(); ++i)
      if (dense.data()[i] != options.ignore_index) return options;
    options.reduction = ClassReduction::sum;
    return options;
  }
};

}  // namespace mien::loss
