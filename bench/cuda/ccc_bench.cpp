// The concordance correlation coefficient of valence and arousal: both passes, from a batch of 48
// to a million rows.

#include <mien/cuda/ccc.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using namespace kernels;

constexpr int columns = 2;
constexpr int rows[] = {48, 512, 4096, 65536, 1000000};

struct Expected {
  double ccc, mean_y, slope;
};

template <class X>
Expected of_column(const std::vector<X>& x, const std::vector<float>& y, std::size_t column) {
  const auto each = [&](const auto& f) {
    for (std::size_t i = column; i < x.size(); i += columns)
      f(static_cast<double>(x[i]), double{y[i]});
  };
  const double n = static_cast<double>(x.size()) / columns;
  double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  each([&](double a, double b) { mean_x += a / n, mean_y += b / n; });
  each([&](double a, double b) {
    a -= mean_x, b -= mean_y;
    xx += a * a / n, yy += b * b / n, xy += a * b / n;
  });
  const double apart = mean_x - mean_y, total = xx + yy + apart * apart;
  return {2 * xy / total, mean_y, 2 / (n * total)};
}

template <Storage T>
Work moments(Arrays& arrays, int n) {
  const CccParams p{.rows = n, .columns = columns, .x_row = columns, .y_row = columns};
  const auto x = arrays.input<T>(std::int64_t{n} * columns);
  const auto y = arrays.input<float>(x.size());
  const auto result = arrays.output<CccColumn>(columns);
  const auto partial = arrays.workspace<PairMoments>(columns * ccc_most_blocks);
  const auto counters = arrays.zeros<unsigned>(columns);
  return {[=](const Cuda& device, int set) {
            ccc_moments(device, result.at(set), {partial.at(set), counters.at(set)}, x.at(set),
                        y.at(set), nullptr, p);
          },
          [=] {
            const auto got = result.read();
            std::vector<float> found;
            std::vector<double> expected;
            for (std::size_t c = 0; c < columns; ++c) {
              const Expected e = of_column(x.values(), y.values(), c);
              found.insert(found.end(), {got[c].ccc, got[c].mean_y, got[c].slope});
              expected.insert(expected.end(), {e.ccc, e.mean_y, e.slope});
            }
            return mismatch(found, expected);
          }};
}

template <Storage T>
Work gradient(Arrays& arrays, int n) {
  const CccParams p{.rows = n, .columns = columns, .x_row = columns, .y_row = columns};
  const auto x = arrays.input<T>(std::int64_t{n} * columns), dx = arrays.output<T>(x.size());
  const auto y = arrays.input<float>(x.size());
  const auto of = arrays.constant<CccColumn>({{0.5f, 0.1f, 0.25f}, {0.7f, -0.1f, 0.5f}});
  return {[=](const Cuda& device, int set) {
            ccc_gradient(device, dx.at(set), of.at(set), x.at(set), y.at(set), nullptr, p, -1.0f);
          },
          [=] {
            const auto of_x = x.values();
            const auto of_y = y.values();
            const auto column = of.values();
            std::vector<double> expected;
            for (std::size_t i = 0; i < of_x.size(); ++i) {
              const CccColumn& c = column[i % columns];
              const double mean = double{c.mean_y}, value = static_cast<double>(of_x[i]);
              expected.push_back(-double{c.slope} *
                                 (double{of_y[i]} - mean - double{c.ccc} * (value - mean)));
            }
            return mismatch(dx.read(), expected);
          }};
}

// Both passes: loss and gradient.
template <Storage T>
Work both(Arrays& arrays, int n) {
  const CccParams p{.rows = n, .columns = columns, .x_row = columns, .y_row = columns};
  const auto x = arrays.input<T>(std::int64_t{n} * columns), dx = arrays.output<T>(x.size());
  const auto y = arrays.input<float>(x.size());
  const auto result = arrays.output<CccColumn>(columns);
  const auto partial = arrays.workspace<PairMoments>(columns * ccc_most_blocks);
  const auto counters = arrays.zeros<unsigned>(columns);
  return {[=](const Cuda& device, int set) {
            ccc_moments(device, result.at(set), {partial.at(set), counters.at(set)}, x.at(set),
                        y.at(set), nullptr, p);
            ccc_gradient(device, dx.at(set), result.at(set), x.at(set), y.at(set), nullptr, p,
                         -1.0f);
          },
          [=] {
            const auto of_x = x.values();
            const auto of_y = y.values();
            std::vector<double> expected(of_x.size());
            for (std::size_t i = 0; i < columns; ++i) {
              const Expected e = of_column(of_x, of_y, i);
              for (std::size_t j = i; j < of_x.size(); j += columns)
                expected[j] = -e.slope * (double{of_y[j]} - e.mean_y -
                                          e.ccc * (static_cast<double>(of_x[j]) - e.mean_y));
            }
            return mismatch(dx.read(), expected);
          }};
}

template <Storage T>
void add(int n) {
  const double elements = double(columns) * n;
  const auto add_pass = [&](const char* kernel, const Cost& cost, auto make) {
    cases().push_back({.name = case_name(kernel, "columns2", dtype_name<T>, n),
                       .cost = cost,
                       .quick = std::is_same_v<T, float>,
                       .make = [=](Arrays& arrays) { return make(arrays, n); },
                       .reduced = [=](Arrays& arrays) { return make(arrays, std::min(n, 5003)); }});
  };
  add_pass("ccc_moments", {(sizeof(T) + 4) * elements, 16 * elements}, moments<T>);
  add_pass("ccc_gradient", {(2 * sizeof(T) + 4) * elements, 4 * elements}, gradient<T>);
  add_pass("ccc_loss", {(3 * sizeof(T) + 8) * elements, 20 * elements}, both<T>);
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const int n : rows) add<T>(n);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
