#pragma once
// Batch normalisation over the last dimension, with an optional activation fused behind it:
//   y = act((x - mean) / sqrt(var + eps) * gamma + beta)      x (..., c), all else (c)
// mean and var are those of the batch (biased variance), which also move the running statistics
//   running = (1 - momentum) * running + momentum * batch     (unbiased variance, as PyTorch)
// or the running statistics themselves. Ioffe, Szegedy: "Batch normalization: accelerating deep
// network training by reducing internal covariate shift", 2015.
// Only x is kept: backward computes the activation again, and an op behind it the output.

#include <cmath>
#include <type_traits>
#include <vector>

#include <mien/cpu/norm.hpp>
#include <mien/ops/activation.hpp>
#include <mien/ops/op.hpp>

namespace mien {

// Where mean and variance come from. Training: batch. Training with frozen statistics, and
// evaluation: running; gradients flow to x, gamma and beta in both.
enum class Statistics { batch, running };

// C: element type of the running statistics, Compute<T> for x of type T.
template <class C>
struct BatchNormOptions {
  Statistics statistics = Statistics::batch;
  Tensor<C> running_mean = {}, running_var = {};  // (c), updated in place; absent: not tracked
  double momentum = 0.1;
  double eps = 1e-5;
  Activation activation = Activation::none;  // none, relu or silu
};

namespace ops {

// Input: x. Weights: gamma (1 where absent), beta (0 where absent).
template <class Running>
struct BatchNorm {
  static constexpr std::string_view name = "batch_norm";
  static constexpr std::size_t first_weight = 1, required_inputs = 1;
  BatchNormOptions<Running> options;
  std::vector<double> mean, rstd;  // (c) that forward normalised with

  explicit BatchNorm(const BatchNormOptions<Running>& chosen = {}) : options(chosen) {}

  Shape shape(std::span<const Shape> in) const {
    const Shape& x = in[0];
    check(x.rank() >= 2, name, "expected x of shape (..., channels), got ", x);
    const auto check_channels = [&](const Shape& s, std::string_view what) {
      check(s.rank() == 1 && s[0] == x[-1], name, "x has ", x[-1], " channels, ", what,
            " has shape ", s);
    };
    if (in[1].rank() > 0) check_channels(in[1], "gamma");
    if (in[2].rank() > 0) check_channels(in[2], "beta");
    const bool tracked = options.running_mean.defined();
    check(tracked == options.running_var.defined(), name,
          "running mean and variance come together, one is absent");
    if (tracked) {
      check_channels(options.running_mean.shape(), "the running mean");
      check_channels(options.running_var.shape(), "the running variance");
    }
    if (options.statistics == Statistics::running)
      check(tracked, name, "normalising with running statistics needs them");
    else
      check(x.numel() / std::max<std::int64_t>(x[-1], 1) > 1, name,
            "statistics of a batch need more than one value per channel, got x of shape ", x);
    return x;
  }

  template <class T>
  Tensor<T> reference(Inputs<T> in, Weights<T> weights) const {
    using C = Compute<T>;
    const Tensor<T>& x = in[0];
    const std::int64_t c = x.dim(-1), rows = x.numel() / c;
    Tensor<T> y(x.shape());
    for (std::int64_t j = 0; j < c; ++j) {
      double m = 0, v = 0;
      if (options.statistics == Statistics::running) {
        m = options.running_mean.data()[j];
        v = options.running_var.data()[j];
      } else {
        for (std::int64_t i = 0; i < rows; ++i) m += x.data()[i * c + j];
        m /= static_cast<double>(rows);
        for (std::int64_t i = 0; i < rows; ++i) v += std::pow(x.data()[i * c + j] - m, 2);
        v /= static_cast<double>(rows);
      }
      const double gamma = weights[0].defined() ? static_cast<double>(weights[0].data()[j]) : 1;
      const double beta = weights[1].defined() ? static_cast<double>(weights[1].data()[j]) : 0;
      for (std::int64_t i = 0; i < rows; ++i) {
        const double pre = (x.data()[i * c + j] - m) / std::sqrt(v + options.eps) * gamma + beta;
        y.mutable_data()[i * c + j] =
            with_op([&](auto op) { return static_cast<T>(static_cast<C>(op.reference(pre))); });
      }
    }
    return y;
  }

  template <class T>
  Tensor<T> forward(Context<T>& ctx, Inputs<T> in, Weights<T> weights) {
    const Tensor<T>& x = in[0];
    with_device(x.device(), [&](auto device) { find_statistics(device, x); });
    ctx.save(x);
    return normalised(x, {*this, weights[0], weights[1]});
  }

  template <class T>
  Tensor<T> recompute(const Context<T>& ctx) const {
    return normalised(ctx.saved(0), {*this, ctx.weight(0), ctx.weight(1)});
  }

  template <class T>
  WeightedGradients<T> backward(const Context<T>& ctx, const Tensor<T>& dy) const {
    using C = Compute<T>;
    const Tensor<T>& x = ctx.saved(0);
    const Channels<C> channels(*this, ctx.weight(0), ctx.weight(1));
    const std::int64_t c = x.dim(-1), rows = rows_of(x);
    const bool batch = options.statistics == Statistics::batch;
    std::vector<double> sum(static_cast<std::size_t>(c)), moment(sum.size());
    Tensor<T> dx;
    Tensor<C> dgamma, dbeta;
    with_device(x.device(), [&](auto device) {
      with_op([&](auto op) {
        if (batch || ctx.needs(1) || ctx.needs(2))
          kernels::normalise_grad_sums(device, sum.data(), moment.data(), x.data(), dy.data(), rows,
                                       channels.affine(), op);
        if (ctx.needs(0)) {
          const auto [slope, offset] = correction(channels, sum, moment, batch ? rows : 0);
          dx = Tensor<T>(x.shape(), x.device());
          kernels::normalise_grad(device, dx.mutable_data(), x.data(), dy.data(), rows,
                                  channels.affine(), slope.data(), offset.data(), op);
        }
      });
    });
    if (ctx.needs(1)) {
      for (std::size_t j = 0; j < moment.size(); ++j) moment[j] *= rstd[j];
      dgamma = per_channel<C>(moment);
    }
    if (ctx.needs(2)) dbeta = per_channel<C>(sum);
    return {{dx}, {dgamma, dbeta}};
  }

  static std::vector<Sample<BatchNorm>> samples() {
    const auto running = [](Activation activation) {
      return BatchNormOptions<Running>{
          .statistics = Statistics::running,
          .running_mean = Tensor<Running>::from({3}, {Running(0.5), Running(-0.25), Running(0)}),
          .running_var = Tensor<Running>::from({3}, {Running(1.5), Running(0.25), Running(4)}),
          .eps = 1e-3,
          .activation = activation};
    };
    const std::string batch = "F.batch_norm(nchw(x[0]), None, None, x[1], x[2], True, 0.1, ";
    const std::string frozen =
        "F.batch_norm(nchw(x[0]), torch.tensor([0.5, -0.25, 0]).double(), "
        "torch.tensor([1.5, 0.25, 4]).double(), x[1], x[2], False, 0.1, 1e-3)";
    const std::vector<SampleInput> five{{{2, 3, 5, 5}}, {{5}, 0.5, 1.5}, {{5}}};
    const std::vector<SampleInput> wide{{{2, 5, 3, 37}}, {{37}, 0.5, 1.5}, {{37}}};
    const std::vector<SampleInput> three{{{2, 3, 5, 3}}, {{3}, 0.5, 1.5}, {{3}}};
    return {
        {"batch", BatchNorm(), five, "nhwc(" + batch + "1e-5))"},
        {"batch_silu", BatchNorm({.activation = Activation::silu}), wide,
         "nhwc(F.silu(" + batch + "1e-5)))"},
        {"batch_relu", BatchNorm({.eps = 1e-3, .activation = Activation::relu}), five,
         "nhwc(F.relu(" + batch + "1e-3)))"},
        {"plain_rank2",
         BatchNorm(),
         {{{19, 4}}, {{}, 0, 0, true}, {{}, 0, 0, true}},
         "F.batch_norm(x[0], None, None, None, None, True, 0.1, 1e-5)"},
        {"frozen", BatchNorm(running(Activation::none)), three, "nhwc(" + frozen + ")"},
        {"frozen_silu", BatchNorm(running(Activation::silu)), three,
         "nhwc(F.silu(" + frozen + "))"},
    };
  }

 private:
  // The per-channel numbers of the kernels: pre = (x - mean) * scale + shift.
  template <class C>
  struct Channels {
    std::vector<C> mean, scale, shift;

    Channels(const BatchNorm& norm, const Tensor<C>& gamma, const Tensor<C>& beta) {
      for (std::size_t j = 0; j < norm.mean.size(); ++j) {
        const double g = gamma.defined() ? static_cast<double>(gamma.data()[j]) : 1;
        const double b = beta.defined() ? static_cast<double>(beta.data()[j]) : 0;
        mean.push_back(static_cast<C>(norm.mean[j]));
        scale.push_back(static_cast<C>(g * norm.rstd[j]));
        // What rounding took from the mean goes into the shift.
        shift.push_back(static_cast<C>(b + (mean.back() - norm.mean[j]) * scale.back()));
      }
    }
    kernels::ChannelAffine<C> affine() const {
      return {mean.data(), scale.data(), shift.data(), static_cast<std::int64_t>(mean.size())};
    }
  };

  template <class T>
  Tensor<T> normalised(const Tensor<T>& x, const Channels<Compute<T>>& channels) const {
    Tensor<T> y(x.shape(), x.device());
    with_device(x.device(), [&](auto device) {
      with_op([&](auto op) {
        kernels::normalise(device, y.mutable_data(), x.data(), rows_of(x), channels.affine(), op);
      });
    });
    return y;
  }

  template <class T>
  static std::int64_t rows_of(const Tensor<T>& x) {
    return x.dim(-1) == 0 ? 0 : x.numel() / x.dim(-1);
  }

  // Calls f with the fused activation as an elementwise op.
  template <class F>
  decltype(auto) with_op(F&& f) const {
    if (options.activation == Activation::relu) return f(Relu{});
    if (options.activation == Activation::silu) return f(Silu{});
    check(options.activation == Activation::none, name, "the activation may be relu or silu");
    return f(Identity{});
  }

  // Fills mean and rstd; in training also moves the running statistics.
  template <class Device, class T>
  void find_statistics(Device device, const Tensor<T>& x) {
    const auto c = static_cast<std::size_t>(x.dim(-1));
    mean.assign(c, 0);
    std::vector<double> variance(c);
    if (options.statistics == Statistics::batch) {
      kernels::batch_moments(device, mean.data(), variance.data(), x.data(), rows_of(x), x.dim(-1));
      if (options.running_mean.defined()) move_running(variance, rows_of(x));
    } else {
      options.running_mean.copy_to(mean.data());
      options.running_var.copy_to(variance.data());
    }
    rstd.clear();
    for (const double v : variance) rstd.push_back(1 / std::sqrt(v + options.eps));
  }

  void move_running(const std::vector<double>& variance, std::int64_t rows) const {
    const double unbiased = static_cast<double>(rows) / static_cast<double>(rows - 1);
    Running *m = options.running_mean.mutable_data(), *v = options.running_var.mutable_data();
    const auto toward = [&](Running old, double seen) {
      return static_cast<Running>((1 - options.momentum) * old + options.momentum * seen);
    };
    for (std::size_t j = 0; j < mean.size(); ++j) {
      m[j] = toward(m[j], mean[j]);
      v[j] = toward(v[j], variance[j] * unbiased);
    }
  }

  // What the batch's own mean and variance add to dx = g * scale + (x - mean) * slope + offset;
  // nothing for running statistics (rows = 0).
  template <class C>
  std::pair<std::vector<C>, std::vector<C>> correction(const Channels<C>& channels,
                                                       const std::vector<double>& sum,
                                                       const std::vector<double>& moment,
                                                       std::int64_t rows) const {
    std::vector<C> slope(sum.size()), offset(sum.size());
    for (std::size_t j = 0; rows > 0 && j < sum.size(); ++j) {
      const double scale = channels.scale[j] / static_cast<double>(rows);
      slope[j] = static_cast<C>(-scale * rstd[j] * rstd[j] * moment[j]);
      offset[j] = static_cast<C>(-scale * sum[j]);
    }
    return {std::move(slope), std::move(offset)};
  }

  template <class C>
  static Tensor<C> per_channel(const std::vector<double>& values) {
    Tensor<C> out(Shape{static_cast<std::int64_t>(values.size())});
    for (std::size_t j = 0; j < values.size(); ++j)
      out.mutable_data()[j] = static_cast<C>(values[j]);
    return out;
  }
};

}  // namespace ops

// x (..., c); gamma and beta (c), undefined tensors for 1 and 0. With batch statistics there must
// be more than one value per channel.
template <FloatElement T>
Tensor<T> batch_norm(const Tensor<T>& x, const Tensor<Compute<T>>& gamma,
                     const Tensor<Compute<T>>& beta,
                     const BatchNormOptions<Compute<T>>& options = {}) {
  return apply(ops::BatchNorm<Compute<T>>(options), {x}, {gamma, beta});
}

// Normalising with running statistics as y = x * scale + shift, to be folded into what comes before
// it (conv2d_fused); scale and shift (c).
template <class C>
struct FoldedBatchNorm {
  Tensor<C> scale, shift;
};

template <class C>
FoldedBatchNorm<C> fold_batch_norm(const Tensor<C>& gamma, const Tensor<C>& beta,
                                   const BatchNormOptions<C>& options) {
  const Shape shape = options.running_mean.shape();
  check(shape.rank() == 1 && options.running_var.shape() == shape, "fold_batch_norm",
        "expected running mean and variance (channels), got ", shape, " and ",
        options.running_var.shape());
  for (const auto* p : {&gamma, &beta})
    check(!p->defined() || p->shape() == shape, "fold_batch_norm", "expected gamma and beta ",
          shape, ", got ", p->shape());
  FoldedBatchNorm<C> folded{Tensor<C>(shape), Tensor<C>(shape)};
  C *scale = folded.scale.mutable_data(), *shift = folded.shift.mutable_data();
  for (std::int64_t j = 0; j < shape[0]; ++j) {
    const double g = gamma.defined() ? static_cast<double>(gamma.data()[j]) : 1;
    const double b = beta.defined() ? static_cast<double>(beta.data()[j]) : 0;
    const double s = g / std::sqrt(options.running_var.data()[j] + options.eps);
    scale[j] = static_cast<C>(s);
    shift[j] = static_cast<C>(b - options.running_mean.data()[j] * s);
  }
  return folded;
}

MIEN_INSTANCE(Tensor<float> batch_norm(const Tensor<float>&, const Tensor<float>&,
                                       const Tensor<float>&, const BatchNormOptions<float>&))

}  // namespace mien
