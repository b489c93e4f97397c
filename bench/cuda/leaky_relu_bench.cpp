// The elementwise tails of the super-resolution networks at 112x112x64, where they are not folded
// into a convolution: leaky ReLU, PReLU, scaled residual.

#include <mien/cuda/leaky_relu.hpp>
#include <mien/cuda/prelu.hpp>
#include <mien/cuda/scale_add.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::Storage;

constexpr int size = 112, channels = 64;
constexpr float slope = 0.2f;

// f(i, x, second) for every element: what the reference says of element i.
template <Storage T, class F>
std::vector<double> elementwise(const std::vector<T>& x, const std::vector<T>& second, const F& f) {
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(f(i, static_cast<double>(x[i]), static_cast<double>(second[i])));
  return y;
}

template <Storage T>
Work leaky_relu(Arrays& arrays, std::int64_t pixels) {
  const auto x = arrays.input<T>(pixels * channels), y = arrays.output<T>(x.size());
  return {[=](const Cuda& device, int set) {
            kernels::leaky_relu(device, y.at(set), x.at(set), {.n = x.size(), .slope = slope});
          },
          [=] {
            return mismatch(y.read(),
                            elementwise(x.values(), x.values(), [](std::size_t, double v, double) {
                              return v > 0 ? v : double{slope} * v;
                            }));
          }};
}

template <Storage T>
Work leaky_relu_backward(Arrays& arrays, std::int64_t pixels) {
  const auto x = arrays.input<T>(pixels * channels), dy = arrays.input<T>(x.size()),
             dx = arrays.output<T>(x.size());
  return {[=](const Cuda& device, int set) {
            kernels::leaky_relu_backward(device, dx.at(set), x.at(set), dy.at(set),
                                         {.n = x.size(), .slope = slope});
          },
          [=] {
            return mismatch(dx.read(), elementwise(x.values(), dy.values(),
                                                   [](std::size_t, double v, double d) {
                                                     return v > 0 ? d : double{slope} * d;
                                                   }));
          }};
}

template <Storage T>
Work scale_add(Arrays& arrays, std::int64_t pixels) {
  const auto x = arrays.input<T>(pixels * channels), residual = arrays.input<T>(x.size()),
             y = arrays.output<T>(x.size());
  return {[=](const Cuda& device, int set) {
            kernels::scale_add(device, y.at(set), x.at(set), residual.at(set),
                               {.n = x.size(), .scale = slope});
          },
          [=] {
            return mismatch(y.read(), elementwise(x.values(), residual.values(),
                                                  [](std::size_t, double v, double r) {
                                                    return double{slope} * v + r;
                                                  }));
          }};
}

template <Storage T>
Work prelu(Arrays& arrays, std::int64_t pixels) {
  const auto x = arrays.input<T>(pixels * channels), y = arrays.output<T>(x.size());
  const auto slopes = arrays.input<float>(channels, 0, 0.5f);
  return {[=](const Cuda& device, int set) {
            kernels::prelu(device, y.at(set), x.at(set), slopes.at(set),
                           {.rows = pixels, .c = channels});
          },
          [=] {
            return mismatch(y.read(),
                            elementwise(x.values(), x.values(),
                                        [s = slopes.values()](std::size_t i, double v, double) {
                                          return v > 0 ? v : double{s[i % channels]} * v;
                                        }));
          }};
}

template <Storage T>
Work prelu_backward(Arrays& arrays, std::int64_t pixels) {
  const kernels::PreluParams p{.rows = pixels, .c = channels};
  const auto x = arrays.input<T>(pixels * channels), dy = arrays.input<T>(x.size()),
             dx = arrays.output<T>(x.size());
  const auto slopes = arrays.input<float>(channels, 0, 0.5f),
             dslopes = arrays.output<float>(channels),
             partials = arrays.workspace<float>(std::int64_t{kernels::prelu_shares(p)} * channels);
  const auto counters = arrays.zeros<unsigned>(kernels::prelu_counters(p));
  return {[=](const Cuda& device, int set) {
            kernels::prelu_backward(device, dx.at(set), dslopes.at(set),
                                    {partials.at(set), counters.at(set)}, x.at(set), dy.at(set),
                                    slopes.at(set), p);
          },
          [=] {
            std::vector<double> sums(channels);
            const auto expected =
                elementwise(x.values(), dy.values(),
                            [&, s = slopes.values()](std::size_t i, double v, double d) {
                              if (v <= 0) sums[i % channels] += v * d;
                              return v > 0 ? d : double{s[i % channels]} * d;
                            });
            const auto wrong = mismatch(dx.read(), expected);
            return wrong.empty() ? mismatch(dslopes.read(), sums) : wrong;
          }};
}

template <Storage T>
void add(int batch) {
  const std::int64_t pixels = std::int64_t{batch} * size * size;
  const double elements = static_cast<double>(pixels) * channels;
  const auto add_pass = [&](const char* kernel, double passes, auto make) {
    cases().push_back(
        {.name = case_name(kernel, str(size, 'x', size, 'x', channels), dtype_name<T>, batch),
         .cost = {passes * elements * sizeof(T), 2 * elements},
         .quick = is_quick<T>(batch, true),
         .make = [=](Arrays& arrays) { return make(arrays, pixels); },
         .reduced = [=](Arrays& arrays) { return make(arrays, std::int64_t{79}); }});
  };
  add_pass("leaky_relu", 2, leaky_relu<T>);
  add_pass("leaky_relu_backward", 3, leaky_relu_backward<T>);
  add_pass("prelu", 2, prelu<T>);
  add_pass("prelu_backward", 3, prelu_backward<T>);
  add_pass("scale_add", 3, scale_add<T>);
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const int batch : batches) add<T>(batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
