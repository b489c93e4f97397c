#pragma once
// Cross-entropy of one row of logits z and shares q of the classes, which need not add up to one:
//
//   loss = -sum over c of q_c log p_c,   p = softmax(z)
//   dloss/dz_c = p_c sum(q) - q_c
//
// Every cross-entropy is that; they differ in the shares. In double, by log-sum-exp.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <mien/core/dtype.hpp>

namespace mien::loss {

// log p_c = z_c - max(z) - log(sum of exp(z - max(z))).
template <FloatElement T>
class LogSoftmaxRow {
 public:
  LogSoftmaxRow(const T* z, std::int64_t classes) : z_(z), largest_(static_cast<double>(z[0])) {
    for (std::int64_t c = 1; c < classes; ++c)
      largest_ = std::max(largest_, static_cast<double>(z[c]));
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c)
      sum += std::exp(static_cast<double>(z[c]) - largest_);
    log_sum_ = std::log(sum);
  }
  double operator()(std::int64_t c) const {
    return static_cast<double>(z_[c]) - largest_ - log_sum_;
  }

 private:
  const T* z_;
  double largest_, log_sum_;
};

// q(c) gives the share of class c. A class without share adds nothing, even where its p is 0.
template <FloatElement T, class Shares>
double row_loss(const T* z, std::int64_t classes, Shares&& q) {
  const LogSoftmaxRow<T> log_p(z, classes);
  double loss = 0;
  for (std::int64_t c = 0; c < classes; ++c)
    if (const double share = q(c); share != 0) loss -= share * log_p(c);
  return loss;
}

// dz_c = factor dloss/dz_c.
template <FloatElement T, class Shares>
void row_gradient(T* dz, const T* z, std::int64_t classes, double factor, Shares&& q) {
  const LogSoftmaxRow<T> log_p(z, classes);
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += q(c);
  for (std::int64_t c = 0; c < classes; ++c)
    dz[c] = static_cast<T>(factor * (std::exp(log_p(c)) * sum - q(c)));
}

}  // namespace mien::loss
