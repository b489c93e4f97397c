// Swish at the activations of EfficientNet-B0 behind its depthwise convolutions.

#include <mien/cuda/swish.hpp>

#include "cuda/cases.hpp"
#include "cuda/cudnn.hpp"

namespace mien::bench {
namespace {

using kernels::Storage;

template <Storage T>
Work forward(Arrays& arrays, std::int64_t n) {
  const auto x = arrays.input<T>(n, -6, 6), y = arrays.output<T>(n);
  return {
      [=](const Cuda& device, int set) { kernels::swish(device, y.at(set), x.at(set), {.n = n}); },
      [=] {
        std::vector<double> expected;
        for (const T value : x.values()) expected.push_back(silu(static_cast<double>(value)));
        return mismatch(y.read(), expected);
      }};
}

template <Storage T>
Work backward(Arrays& arrays, std::int64_t n) {
  const auto x = arrays.input<T>(n, -6, 6), dy = arrays.input<T>(n), dx = arrays.output<T>(n);
  return {[=](const Cuda& device, int set) {
            kernels::swish_backward(device, dx.at(set), x.at(set), dy.at(set), {.n = n});
          },
          [=] {
            const auto of_x = x.values(), of_dy = dy.values();
            std::vector<double> expected;
            for (std::size_t i = 0; i < of_x.size(); ++i) {
              const double v = static_cast<double>(of_x[i]), s = sigmoid(v);
              expected.push_back(static_cast<double>(of_dy[i]) * s * (1 + v * (1 - s)));
            }
            return mismatch(dx.read(), expected);
          }};
}

template <Storage T>
void add(const Block& b, int batch) {
  const auto size = b.out_size;
  const std::int64_t n = batch * size * size * b.mid;
  const double elements = static_cast<double>(n), bytes = elements * sizeof(T);
  const std::string shape = str("b0_", b.name, '_', size, 'x', size, 'x', b.mid);
  const auto add_pass = [&](const char* kernel, const Cost& cost, auto make, auto peer) {
    Case c{.name = case_name(kernel, shape, dtype_name<T>, batch),
           .cost = cost,
           .quick = is_quick<T>(batch, is_typical(b)),
           .make = [=](Arrays& arrays) { return make(arrays, n); },
           .reduced = [=](Arrays& arrays) { return make(arrays, std::int64_t{5003}); }};
    add_with_peer(std::move(c), [=](Arrays& arrays) {
      return peer(arrays, cudnn::Tensor{batch, static_cast<int>(size), static_cast<int>(size),
                                        static_cast<int>(b.mid)});
    });
  };
  add_pass("swish", {2 * bytes, 13 * elements}, forward<T>, cudnn::swish<T>);
  add_pass("swish_backward", {3 * bytes, 17 * elements}, backward<T>, cudnn::swish_backward<T>);
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
