// Batch norm with SiLU behind the depthwise convolutions of EfficientNet-B0, in training.

#include <mien/cuda/batch_norm.hpp>

#include "cuda/cases.hpp"
#include "cuda/cudnn.hpp"

namespace mien::bench {
namespace {

using kernels::BatchNormParams;
using kernels::Storage;

// Arrays that belong to channels, and the sums' memory.
struct Channels {
  Array<float> mean, var, gamma, beta, dgamma, dbeta, partial;
  Array<unsigned> counters;

  Channels(Arrays& arrays, int c)
      : mean(arrays.input<float>(c, -0.5f, 0.5f)),
        var(arrays.input<float>(c, 0.5f, 2)),
        gamma(arrays.input<float>(c, 0.5f, 1.5f)),
        beta(arrays.input<float>(c)),
        dgamma(arrays.workspace<float>(c)),
        dbeta(arrays.workspace<float>(c)),
        partial(arrays.workspace<float>(std::int64_t{2} * kernels::batch_norm_most_shares(c) * c)),
        counters(arrays.zeros<unsigned>(kernels::ceil_div(c, 32))) {}

  kernels::BatchNormWorkspace workspace(int set) const {
    return {partial.at(set), counters.at(set)};
  }
  kernels::BatchNormStatistics statistics(int set) const { return {mean.at(set), var.at(set)}; }
  kernels::BatchNormChannels channels(int set) const {
    return {mean.at(set), var.at(set), gamma.at(set), beta.at(set)};
  }
};

// Means and biased variances of the columns of x (rows, c).
template <class T>
std::pair<std::vector<double>, std::vector<double>> moments(const std::vector<T>& x, int channels) {
  const auto c = static_cast<std::size_t>(channels);
  const double rows = static_cast<double>(x.size() / c);
  std::vector<double> mean(c), var(c);
  for (std::size_t i = 0; i < x.size(); ++i) mean[i % c] += static_cast<double>(x[i]) / rows;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double apart = static_cast<double>(x[i]) - mean[i % c];
    var[i % c] += apart * apart / rows;
  }
  return {mean, var};
}

// y, from the arrays' own channels or from given moments.
template <class T>
std::vector<double> normalised(const std::vector<T>& x, const std::vector<double>& mean,
                               const std::vector<double>& var, const Channels& k, double eps) {
  const auto gamma = k.gamma.values(), beta = k.beta.values();
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % mean.size();
    const double xhat = (static_cast<double>(x[i]) - mean[c]) / std::sqrt(var[c] + eps);
    y.push_back(silu(xhat * double{gamma[c]} + double{beta[c]}));
  }
  return y;
}

template <Storage T>
Work statistics(Arrays& arrays, const BatchNormParams& p) {
  const auto x = arrays.input<T>(p.rows * p.c);
  const Channels k(arrays, p.c);
  return {[=](const Cuda& device, int set) {
            kernels::batch_norm_statistics(device, k.statistics(set), k.workspace(set), x.at(set),
                                           p);
          },
          [=] {
            const auto [mean, var] = moments(x.values(), p.c);
            const auto wrong = mismatch(k.mean.read(), mean);
            return wrong.empty() ? mismatch(k.var.read(), var) : wrong;
          }};
}

template <Storage T>
Work forward(Arrays& arrays, const BatchNormParams& p) {
  const auto x = arrays.input<T>(p.rows * p.c), y = arrays.output<T>(x.size());
  const Channels k(arrays, p.c);
  return {[=](const Cuda& device, int set) {
            kernels::batch_norm(device, y.at(set), x.at(set), k.channels(set), p);
          },
          [=] {
            const auto mean = k.mean.values(), var = k.var.values();
            return mismatch(y.read(), normalised(x.values(), {mean.begin(), mean.end()},
                                                 {var.begin(), var.end()}, k, double{p.eps}));
          }};
}

// Statistics and normalisation.
template <Storage T>
Work train(Arrays& arrays, const BatchNormParams& p) {
  const auto x = arrays.input<T>(p.rows * p.c), y = arrays.output<T>(x.size());
  const Channels k(arrays, p.c);
  return {[=](const Cuda& device, int set) {
            const T* from = x.at(set);
            kernels::batch_norm_statistics(device, k.statistics(set), k.workspace(set), from, p);
            kernels::batch_norm(device, y.at(set), from, k.channels(set), p);
          },
          [=] {
            const auto of_x = x.values();
            const auto [mean, var] = moments(of_x, p.c);
            return mismatch(y.read(), normalised(of_x, mean, var, k, double{p.eps}));
          }};
}

template <Storage T>
Work backward(Arrays& arrays, const BatchNormParams& p) {
  const auto x = arrays.input<T>(p.rows * p.c), dy = arrays.input<T>(x.size()),
             dx = arrays.output<T>(x.size());
  const Channels k(arrays, p.c);
  return {
      [=](const Cuda& device, int set) {
        const T* of_x = x.at(set);
        const T* of_dy = dy.at(set);
        kernels::batch_norm_backward(device, dx.at(set), k.dgamma.at(set), k.dbeta.at(set),
                                     k.workspace(set), of_x, of_dy, k.channels(set), p);
      },
      [=] {
        const auto of_x = x.values(), of_dy = dy.values();
        const auto mean = k.mean.values(), var = k.var.values(), gamma = k.gamma.values(),
                   beta = k.beta.values();
        const auto c = static_cast<std::size_t>(p.c);
        const double rows = static_cast<double>(p.rows);
        std::vector<double> xhat, dz, dgamma(c), dbeta(c), expected;
        for (std::size_t i = 0; i < of_x.size(); ++i) {
          const std::size_t j = i % c;
          xhat.push_back((static_cast<double>(of_x[i]) - double{mean[j]}) /
                         std::sqrt(double{var[j]} + double{p.eps}));
          const double z = xhat[i] * double{gamma[j]} + double{beta[j]}, s = sigmoid(z);
          dz.push_back(static_cast<double>(of_dy[i]) * s * (1 + z * (1 - s)));
          dbeta[j] += dz[i];
          dgamma[j] += dz[i] * xhat[i];
        }
        for (std::size_t i = 0; i < of_x.size(); ++i) {
          const std::size_t j = i % c;
          expected.push_back(double{gamma[j]} / std::sqrt(double{var[j]} + double{p.eps}) *
                             (dz[i] - (dbeta[j] + xhat[i] * dgamma[j]) / rows));
        }
        for (const auto& wrong : {mismatch(dx.read(), expected), mismatch(k.dgamma.read(), dgamma),
                                  mismatch(k.dbeta.read(), dbeta)})
          if (!wrong.empty()) return wrong;
        return std::string();
      }};
}

template <Storage T>
void add(const Block& b, int batch) {
  const auto size = b.out_size;
  const int c = static_cast<int>(b.mid);
  const BatchNormParams full{.rows = batch * size * size, .c = c, .silu = true},
      reduced{.rows = 2 * 7 * 7, .c = c, .silu = true};
  const double elements = static_cast<double>(full.rows) * c, bytes = elements * sizeof(T);
  const std::string shape = str("b0_", b.name, '_', size, 'x', size, 'x', b.mid);
  const auto case_of = [&](const char* kernel, double passes, double flops, auto make) {
    return Case{.name = case_name(kernel, shape, dtype_name<T>, batch),
                .cost = {passes * bytes, flops * elements},
                .quick = is_quick<T>(batch, is_typical(b)),
                .make = [=](Arrays& arrays) { return make(arrays, full); },
                .reduced = [=](Arrays& arrays) { return make(arrays, reduced); }};
  };
  const cudnn::Tensor t{batch, static_cast<int>(size), static_cast<int>(size), c};
  cases().push_back(case_of("batch_norm_statistics", 1, 4, statistics<T>));
  cases().push_back(case_of("batch_norm_silu", 2, 16, forward<T>));
  // cuDNN's have no activation.
  add_with_peer(case_of("batch_norm_silu_train", 3, 20, train<T>),
                [=](Arrays& arrays) { return cudnn::batch_norm<T>(arrays, t); });
  add_with_peer(case_of("batch_norm_silu_backward", 5, 45, backward<T>),
                [=](Arrays& arrays) { return cudnn::batch_norm_backward<T>(arrays, t); });
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const Block& b : distinct_blocks())
      for (const int batch : batches) add<T>(b, batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
