// Binary cross-entropy of twelve action units with weights and a mask, loss and gradient in one
// call.

#include <mien/cuda/binary_cross_entropy.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::Storage;

constexpr int units = 12;

template <Storage T>
Work loss(Arrays& arrays, int rows) {
  const std::int64_t n = std::int64_t{rows} * units;
  const auto x = arrays.input<T>(n, -8, 8), dx = arrays.output<T>(n);
  const auto y = arrays.input<float>(n, 0, 1), weight = arrays.input<float>(units, 0.5f, 4),
             result = arrays.output<float>(1),
             partial = arrays.workspace<float>(kernels::loss_most_blocks),
             divisor = arrays.workspace<float>(1);
  std::vector<std::uint8_t> kept;
  for (std::int64_t i = 0; i < n; ++i) kept.push_back(i * 7919 % 10 < 9);
  const auto mask = arrays.constant(kept);
  const auto counter = arrays.zeros<unsigned>(1);
  const kernels::BinaryCrossEntropyParams p{.rows = rows, .units = units, .row = units};
  return {[=](const Cuda& device, int set) {
            kernels::binary_cross_entropy(device, result.at(set), dx.at(set),
                                          {partial.at(set), divisor.at(set), counter.at(set)},
                                          x.at(set), y.at(set), mask.at(set), weight.at(set), p);
          },
          [=] {
            const auto of_x = x.values();
            const auto of_y = y.values(), w = weight.values();
            double total = 0, sum = 0;
            for (const auto one : kept) total += one;
            std::vector<double> expected;
            for (std::size_t i = 0; i < of_x.size(); ++i) {
              const double v = static_cast<double>(of_x[i]), label = double{of_y[i]},
                           positive = double{w[i % units]} * label, share = kept[i] / total;
              sum += share *
                     (positive * std::log1p(std::exp(-v)) + (1 - label) * std::log1p(std::exp(v)));
              expected.push_back(share * ((1 - label) * sigmoid(v) - positive * sigmoid(-v)));
            }
            const auto wrong = mismatch(dx.read(), expected);
            return wrong.empty() ? mismatch(result.read(), {sum}) : wrong;
          }};
}

template <Storage T>
void add(int rows) {
  const double elements = double(units) * rows;
  cases().push_back(
      {.name = case_name("binary_cross_entropy", str("units", units), dtype_name<T>, rows),
       .cost = {(2 * sizeof(T) + 5) * elements, 40 * elements},
       .quick = std::is_same_v<T, float>,
       .make = [=](Arrays& arrays) { return loss<T>(arrays, rows); },
       .reduced = [=](Arrays& arrays) { return loss<T>(arrays, std::min(rows, 512)); }});
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const int rows : {48, 512, 4096, 65536}) add<T>(rows);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
