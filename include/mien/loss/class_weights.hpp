#pragma once
// Weights of classes that are not equally frequent, from the number of examples of each.

#include <cstddef>
#include <cstdint>
#include <span>

#include <mien/core/tensor.hpp>

namespace mien::loss {

// What stands above the fraction scale / n_c.
enum class ClassScale {
  largest,  // max(n): the paper's equation (1); the most frequent class has weight 1
  mean,     // mean(n): the paper's training on synthetic faces
};

// (c): scale / n_c. Throws for a class without examples.
inline Tensor<double> class_weights(std::span<const std::int64_t> counts,
                                    ClassScale scale = ClassScale::largest) {
  double largest = 0, sum = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    check(counts[c] > 0, "class_weights", "expected examples of every class, got ", counts[c],
          " of class ", c);
    const auto n = static_cast<double>(counts[c]);
    largest = n > largest ? n : largest;
    sum += n;
  }
  const double above =
      scale == ClassScale::largest ? largest : sum / static_cast<double>(counts.size());
  Tensor<double> weights(Shape{static_cast<std::int64_t>(counts.size())});
  for (std::size_t c = 0; c < counts.size(); ++c)
    weights.mutable_data()[c] = above / static_cast<double>(counts[c]);
  return weights;
}

// Of binary labels, (c) each; for binary_cross_entropy_with_logits.
struct BinaryWeights {
  Tensor<double> negative, positive;
};

// total / (2 n) with n the negative or the positive of `total` labels of each unit: both sides of a
// unit then weigh total / 2. Throws for a unit all of whose labels are the same.
inline BinaryWeights binary_weights(std::span<const std::int64_t> positives, std::int64_t total) {
  const Shape shape{static_cast<std::int64_t>(positives.size())};
  BinaryWeights weights{Tensor<double>(shape), Tensor<double>(shape)};
  const double half = static_cast<double>(total) / 2;
  for (std::size_t c = 0; c < positives.size(); ++c) {
    check(positives[c] > 0 && positives[c] < total, "binary_weights", "expected from 1 to ",
          total - 1, " positive labels of ", total, ", got ", positives[c], " of unit ", c);
    weights.negative.mutable_data()[c] = half / static_cast<double>(total - positives[c]);
    weights.positive.mutable_data()[c] = half / static_cast<double>(positives[c]);
  }
  return weights;
}

}  // namespace mien::loss
