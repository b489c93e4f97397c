#pragma once
// BatchNorm2d: normalises each channel of (n, h, w, c) images (or of any (..., c) tensor).

#include <utility>
#include <vector>

#include <mien/nn/module.hpp>
#include <mien/ops/batch_norm.hpp>

namespace mien::nn {

struct BatchNorm2dOptions {
  std::int64_t channels;
  double eps = 1e-5;
  double momentum = 0.1;
};

// What normalises in training, where evaluation has running statistics always.
enum class NormMode {
  update,   // statistics of the batch, which also move the running ones
  keep,     // statistics of the batch; running ones stay as they are
  running,  // running statistics: fine-tuning on small batches
};

// Parameters weight and bias (channels); formula in ops/batch_norm.hpp.
template <FloatElement T>
class BatchNorm2d : public Module<T> {
 public:
  BatchNorm2d() = default;
  explicit BatchNorm2d(const BatchNorm2dOptions& o)
      : weight(Tensor<Compute<T>>::ones({o.channels})),
        bias(Tensor<Compute<T>>::zeros({o.channels})),
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
    if (options.statistics == Statistics::batch && mode_ == NormMode::update)
      ++num_batches_tracked_;
    return batch_norm(x, weight, bias, options);
  }

  // Whether forward() would use the running statistics.
  bool uses_running_statistics() const { return mode_ == NormMode::running || !this->training(); }
  NormMode mode() const { return mode_; }
  void set_mode(NormMode mode) { mode_ = mode; }

  // The layer with running statistics as y = x * scale + shift.
  FoldedBatchNorm<Compute<T>> folded() const { return fold_batch_norm(weight, bias, options()); }

  void parts(Parts<T>& p) override {
    p.parameter("weight", weight).parameter("bias", bias);
    p.buffer("running_mean", running_mean).buffer("running_var", running_var);
    p.counter("num_batches_tracked", num_batches_tracked_);
  }

  Tensor<Compute<T>> weight, bias, running_mean, running_var;

 private:
  BatchNormOptions<Compute<T>> options() const {
    BatchNormOptions<Compute<T>> options{.momentum = momentum_, .eps = eps_};
    if (uses_running_statistics()) options.statistics = Statistics::running;
    if (uses_running_statistics() || mode_ == NormMode::update) {
      options.running_mean = running_mean;
      options.running_var = running_var;
    }
    return options;
  }

  double eps_ = 1e-5, momentum_ = 0.1;
  NormMode mode_ = NormMode::update;
  mutable std::int64_t num_batches_tracked_ = 0;  // forward() in training counts; not thread-safe
};

// Within its scope, every batch norm of `module` is in another mode.
template <FloatElement T>
class NormModeScope {
 public:
  NormModeScope(Module<T>& module, NormMode mode) {
    for (const auto& [name, part] : module.all_parts().modules) remember(*part, mode);
    remember(module, mode);
  }
  ~NormModeScope() {
    for (const auto& [norm, mode] : before_) norm->set_mode(mode);
  }
  NormModeScope(const NormModeScope&) = delete;
  NormModeScope& operator=(const NormModeScope&) = delete;

 private:
  void remember(Module<T>& module, NormMode mode) {
    auto* norm = dynamic_cast<BatchNorm2d<T>*>(&module);
    if (norm == nullptr) return;
    before_.emplace_back(norm, norm->mode());
    norm->set_mode(mode);
  }

  std::vector<std::pair<BatchNorm2d<T>*, NormMode>> before_;
};

}  // namespace mien::nn
