#pragma once
// Binary cross-entropy of logits x and labels y from 0 to 1, with weights p of the positive labels
// of each unit and a mask of the labels that are there, and its gradient, as
// torch.nn.functional.binary_cross_entropy_with_logits(pos_weight) defines them:
//
//   loss = 1/D sum of p y softplus(-x) + (1 - y) softplus(x)
//   dloss/dx = 1/D ((1 - y) sigmoid(x) - p y sigmoid(-x))
//
// over the elements that the mask leaves; D is their number, or 1. Both sides come from exp(-|x|),
// so neither overflows nor cancels. Labels that are masked may hold anything. Where none is left,
// the mean is NaN and the gradient zero.
//
// One launch gives loss and gradient, in a fixed order of sums; the mean over more than 65,536
// elements with a mask takes a second one before it (loss.hpp).
// Roofline, per logit of b bytes: 2 b + 4 bytes (b + 4 for the loss alone), 1 more with a mask;
// about 58 instructions, two of them special functions. Bound by memory, in 16 bits as much by
// instructions, and below about 10^5 elements by the launch.

#include <cstdint>

#include <mien/cuda/loss.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct BinaryCrossEntropyParams {
  std::int64_t rows;
  int units;
  std::int64_t row;  // elements between the rows of logits and dlogits
  LossReduction reduction = LossReduction::mean;
  float gradient_factor = 1;  // of dlogits: the gradient that arrives at the loss
};

// loss (1). dlogits (rows, units), laid out as logits; may be logits, or null: loss alone. labels
// (rows, units); mask (rows, units) of bytes, 0 leaves a label out, or null. pos_weight (units), or
// null: ones.
template <Storage T>
void binary_cross_entropy(Cuda device, float* loss, T* dlogits, const LossWorkspace& workspace,
                          const T* logits, const float* labels, const std::uint8_t* mask,
                          const float* pos_weight, const BinaryCrossEntropyParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
