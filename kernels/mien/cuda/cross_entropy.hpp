#pragma once
// Cross-entropy of logits z and labels, with weights w of the classes and label smoothing, and its
// gradient, as torch.nn.functional.cross_entropy defines them. Every row has shares q of the C
// classes:
//
//   loss = 1/D sum over rows and classes of -q_c log p_c,   p = softmax(z)
//   dloss/dz_c = 1/D (p_c sum(q) - q_c)
//
//   label t               q_c = (1 - e) w_t [c = t] + e/C w_c   D: sum of w_t over rows, or 1
//   probabilities y       q_c = w_c ((1 - e) y_c + e/C)         D: number of rows, or 1
//
// Smoothing e: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR
// 2016. With w_c = max(N) / N_c the sum is the paper's weighted loss of imbalanced classes.
//
// Rows whose label is ignore_index have neither loss nor gradient. Nor have those whose label is no
// class, where PyTorch ends the program: they are counted. Where no row is left, the mean is NaN
// and the gradient zero.
//
// One launch gives loss and gradient, in a fixed order of sums; the mean over more than 1024 rows
// with labels takes a second one before it (loss.hpp). A thread has a row of up to 16 classes, a
// warp of up to 1024, a block one of more. A row is read once, all its loads starting together;
// beyond the 12,288 classes that a block's registers hold, once more from the cache.
// Roofline, per logit of b bytes: 2 b bytes (b for the loss alone), 4 more for probabilities; two
// special functions and about 20 instructions, 8 more with smoothing and weights. Bound by memory,
// with those and in 16 bits as much by instructions, and below about 10^5 logits by the launch.

#include <concepts>
#include <cstdint>

#include <mien/cuda/loss.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct CrossEntropyParams {
  std::int64_t rows;
  int classes;
  std::int64_t row;  // elements between the rows of logits and dlogits
  LossReduction reduction = LossReduction::mean;
  float label_smoothing = 0;
  std::int64_t ignore_index = -100;
  float gradient_factor = 1;  // of dlogits: the gradient that arrives at the loss
};

template <class Index>
concept LabelIndex = std::same_as<Index, std::int32_t> || std::same_as<Index, std::int64_t>;

// loss (1). dlogits (rows, classes), laid out as logits; may be logits, or null: loss alone.
// invalid (1, or null: not counted) grows by the number of labels (rows) that are no class.
// weight (classes), or null: ones.
template <Storage T, LabelIndex Index>
void cross_entropy(Cuda device, float* loss, T* dlogits, unsigned* invalid,
                   const LossWorkspace& workspace, const T* logits, const Index* labels,
                   const float* weight, const CrossEntropyParams& p);

// The same of probabilities (rows, classes), which need not add up to one.
template <Storage T>
void cross_entropy(Cuda device, float* loss, T* dlogits, const LossWorkspace& workspace,
                   const T* logits, const float* probabilities, const float* weight,
                   const CrossEntropyParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
