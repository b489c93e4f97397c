// Weighted cross-entropy with label smoothing, loss and gradient in one call: the eight expressions
// of the emotion models and the thousand classes of ImageNet.

#include <mien/cuda/cross_entropy.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::Storage;

constexpr float smoothing = 0.1f;

template <Storage T>
Work loss(Arrays& arrays, int rows, int classes) {
  const auto logits = arrays.input<T>(std::int64_t{rows} * classes, -5, 5),
             gradient = arrays.output<T>(logits.size());
  const auto weight = arrays.input<float>(classes, 0.5f, 4), result = arrays.output<float>(1),
             partial = arrays.workspace<float>(kernels::loss_most_blocks),
             divisor = arrays.workspace<float>(1);
  std::vector<std::int64_t> classes_of_rows;
  for (int i = 0; i < rows; ++i) classes_of_rows.push_back(i * 7919 % classes);
  const auto labels = arrays.constant(classes_of_rows);
  const auto counters = arrays.zeros<unsigned>(2);
  const kernels::CrossEntropyParams p{
      .rows = rows, .classes = classes, .row = classes, .label_smoothing = smoothing};
  return {[=](const Cuda& device, int set) {
            kernels::cross_entropy(device, result.at(set), gradient.at(set), counters.at(set) + 1,
                                   {partial.at(set), divisor.at(set), counters.at(set)},
                                   logits.at(set), labels.at(set), weight.at(set), p);
          },
          [=] {
            const auto z = logits.values();
            const auto w = weight.values();
            const auto c = static_cast<std::size_t>(classes);
            double sum = 0, total = 0;
            std::vector<double> expected;
            for (const std::int64_t label : labels.values())
              total += double{w[static_cast<std::size_t>(label)]};
            for (std::size_t i = 0; i < z.size(); i += c) {
              double exps = 0, shares = 0;
              for (std::size_t k = 0; k < c; ++k) exps += std::exp(static_cast<double>(z[i + k]));
              std::vector<double> q(c);
              const auto label = static_cast<std::size_t>(classes_of_rows[i / c]);
              for (std::size_t k = 0; k < c; ++k) {
                q[k] = (k == label ? (1 - double{smoothing}) * double{w[k]} : 0) +
                       double{smoothing} / static_cast<double>(c) * double{w[k]};
                shares += q[k];
                sum += q[k] * (std::log(exps) - static_cast<double>(z[i + k])) / total;
              }
              for (std::size_t k = 0; k < c; ++k)
                expected.push_back(
                    (std::exp(static_cast<double>(z[i + k])) / exps * shares - q[k]) / total);
            }
            const auto wrong = mismatch(gradient.read(), expected);
            return wrong.empty() ? mismatch(result.read(), {sum}) : wrong;
          }};
}

template <Storage T>
void add(int classes, int rows) {
  const double elements = double(classes) * rows;
  cases().push_back(
      {.name = case_name("cross_entropy", str("classes", classes), dtype_name<T>, rows),
       .cost = {2 * sizeof(T) * elements + 8.0 * rows, 14 * elements},
       .quick = std::is_same_v<T, float>,
       .make = [=](Arrays& arrays) { return loss<T>(arrays, rows, classes); },
       .reduced = [=](Arrays& arrays) { return loss<T>(arrays, std::min(rows, 37), classes); }});
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const int rows : {48, 512, 4096, 65536}) add<T>(8, rows);
    for (const int rows : {8, 64, 256, 4096}) add<T>(1000, rows);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
