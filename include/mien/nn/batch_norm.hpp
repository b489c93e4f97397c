#pragma once
// BatchNorm2d: normalises each channel of (n, h, w, c) images (or of any (..., c) tensor).

#include <mien/nn/module.hpp>
#include <mien/ops/batch_norm.hpp>

namespace mien::nn {

struct BatchNorm2dOptions {
  std::int64_t channels;
  double eps = 1e-5;
  double momentum = 0.1;
};

// Training: statistics of the batch, running ones updated. Training with freeze_statistics(), and
// evaluation: running statistics. Parameters weight and bias (channels); formula in
// ops/batch_norm.hpp.
template <FloatElement T>
class BatchNorm2d : public Module<T> {
 public:
  BatchNorm2d() = default;
  explicit BatchNorm2d(const BatchNorm2dOptions& o)
      : weight(Tensor<T>::ones({o.channels})),
        bias(Tensor<T>::zeros({o.channels})),
        running_mean(Tensor<Compute<T>>::zeros({o.channels})),
        running_var(Tensor<Compute<T>>::ones({o.channels})),
        eps_(o.eps),
        momentum_(o.momentum) {
    weight.set_requires_grad();
    bias.set_requires_grad();
  }

  // (..., channels) -> (..., channels); `activation` is fused behind the normalisation.
  Tensor<T> forward(const Tensor<T>& x, Activation activation = Activation::none) const {
    BatchNormOptions<Compute<T>> options = this->options();
    options.activation = activation;
    if (options.statistics == Statistics::batch) ++num_batches_tracked_;
    return batch_norm(x, weight, bias, options);
  }

  // Whether forward() would use the running statistics.
  bool uses_running_statistics() const { return frozen_ || !this->training(); }
  // Keeps the running statistics as they are in training, too: fine-tuning on small batches.
  void freeze_statistics(bool on = true) { frozen_ = on; }

  // The layer with running statistics as y = x * scale + shift.
  FoldedBatchNorm<Compute<T>> folded() const { return fold_batch_norm(weight, bias, options()); }

  void parts(Parts<T>& p) override {
    p.parameter("weight", weight).parameter("bias", bias);
    p.buffer("running_mean", running_mean).buffer("running_var", running_var);
    p.counter("num_batches_tracked", num_batches_tracked_);
  }

  Tensor<T> weight, bias;
  Tensor<Compute<T>> running_mean, running_var;

 private:
  BatchNormOptions<Compute<T>> options() const {
    return {.statistics = uses_running_statistics() ? Statistics::running : Statistics::batch,
            .running_mean = running_mean,
            .running_var = running_var,
            .momentum = momentum_,
            .eps = eps_};
  }

  double eps_ = 1e-5, momentum_ = 0.1;
  bool frozen_ = false;
  mutable std::int64_t num_batches_tracked_ = 0;  // forward() in training counts; not thread-safe
};

}  // namespace mien::nn
