// Squeeze-excite behind the depthwise convolutions of EfficientNet-B0, forward and backward as in
// training.

#include <mien/cuda/squeeze_excite.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::SqueezeExciteParams;
using kernels::Storage;

template <Storage T>
struct Weights {
  Array<T> w1, b1, w2, b2;

  Weights(Arrays& arrays, const SqueezeExciteParams& p) {
    const std::int64_t products = std::int64_t{p.c} * p.r;
    const float range = weight_range(p.c), wide = weight_range(p.r);
    w1 = arrays.input<T>(products, -range, range);
    b1 = arrays.input<T>(p.r);
    w2 = arrays.input<T>(products, -wide, wide);
    b2 = arrays.input<T>(p.c);
  }
  kernels::SqueezeExciteWeights<T> at(int set) const {
    return {w1.at(set), b1.at(set), w2.at(set), b2.at(set)};
  }
};

std::int64_t count(const SqueezeExciteParams& p) { return std::int64_t{p.n} * p.pixels * p.c; }
std::int64_t shares(const SqueezeExciteParams& p) {
  return std::int64_t{p.n} * kernels::squeeze_excite_shares(p) * p.c;
}

// out (rows, columns) = a (rows, inner) b (inner, columns).
template <class A, class B>
std::vector<double> product(const A& a, const B& b, int rows, int inner, int columns) {
  std::vector<double> out(static_cast<std::size_t>(rows * columns));
  for (int i = 0; i < rows; ++i)
    for (int k = 0; k < inner; ++k)
      for (int j = 0; j < columns; ++j)
        out[static_cast<std::size_t>(i * columns + j)] +=
            static_cast<double>(a[static_cast<std::size_t>(i * inner + k)]) *
            static_cast<double>(b[static_cast<std::size_t>(k * columns + j)]);
  return out;
}

template <class V>
V transposed(const V& a, int rows, int columns) {
  V out(a.size());
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      out[static_cast<std::size_t>(j * rows + i)] = a[static_cast<std::size_t>(i * columns + j)];
  return out;
}

// Sums over the pixels of each image: (n, c) from f(element of x).
template <class F>
std::vector<double> pooled(const SqueezeExciteParams& p, const F& f) {
  const auto c = static_cast<std::size_t>(p.c), image = static_cast<std::size_t>(p.pixels) * c;
  std::vector<double> sums(static_cast<std::size_t>(p.n) * c);
  for (std::size_t i = 0; i < static_cast<std::size_t>(p.n) * image; ++i)
    sums[i / image * c + i % c] += f(i);
  return sums;
}

// Three launches.
template <Storage T>
Work forward(Arrays& arrays, const SqueezeExciteParams& p) {
  const auto x = arrays.input<T>(count(p)), y = arrays.output<T>(count(p));
  const Weights<T> w(arrays, p);
  const auto partial = arrays.workspace<float>(shares(p)),
             gates = arrays.workspace<float>(std::int64_t{p.n} * p.c),
             mean = arrays.workspace<float>(std::int64_t{p.n} * p.c),
             z = arrays.workspace<float>(std::int64_t{p.n} * p.r);
  return {[=](const Cuda& device, int set) {
            const T* from = x.at(set);
            kernels::squeeze_excite_sums(device, partial.at(set), from, p);
            kernels::squeeze_excite_gates(device, gates.at(set), {mean.at(set), z.at(set)},
                                          partial.at(set), kernels::squeeze_excite_shares(p),
                                          w.at(set), p);
            kernels::squeeze_excite_scale(device, y.at(set), from, gates.at(set), p);
          },
          [=] {
            const auto of_x = x.values();
            const auto b1 = w.b1.values(), b2 = w.b2.values();
            const auto means =
                pooled(p, [&](std::size_t i) { return static_cast<double>(of_x[i]) / p.pixels; });
            auto h = product(means, w.w1.values(), p.n, p.c, p.r);
            for (std::size_t i = 0; i < h.size(); ++i)
              h[i] = silu(h[i] + static_cast<double>(b1[i % b1.size()]));
            auto g = product(h, w.w2.values(), p.n, p.r, p.c);
            for (std::size_t i = 0; i < g.size(); ++i)
              g[i] = sigmoid(g[i] + static_cast<double>(b2[i % b2.size()]));
            std::vector<double> expected;
            const auto c = static_cast<std::size_t>(p.c);
            const std::size_t image = static_cast<std::size_t>(p.pixels) * c;
            for (std::size_t i = 0; i < of_x.size(); ++i)
              expected.push_back(static_cast<double>(of_x[i]) * g[i / image * c + i % c]);
            return mismatch(y.read(), expected);
          }};
}

// What the backward reads, as if forward had left it.
template <Storage T>
struct Backward {
  SqueezeExciteParams p;
  Array<T> x, dy, dx;
  Weights<T> w;
  Array<float> gates, mean, z, partial, dmean, dw1, db1, dw2, db2, of_gate, of_z, h;

  Backward(Arrays& arrays, const SqueezeExciteParams& params)
      : p(params),
        x(arrays.input<T>(count(p))),
        dy(arrays.input<T>(count(p))),
        dx(arrays.output<T>(count(p))),
        w(arrays, p),
        gates(arrays.input<float>(std::int64_t{p.n} * p.c, 0, 1)),
        mean(arrays.input<float>(gates.size())),
        z(arrays.input<float>(std::int64_t{p.n} * p.r)),
        partial(arrays.workspace<float>(shares(p))),
        dmean(arrays.workspace<float>(gates.size())),
        dw1(arrays.output<float>(std::int64_t{p.c} * p.r)),
        db1(arrays.output<float>(p.r)),
        dw2(arrays.output<float>(dw1.size())),
        db2(arrays.output<float>(p.c)),
        of_gate(arrays.workspace<float>(gates.size())),
        of_z(arrays.workspace<float>(z.size())),
        h(arrays.workspace<float>(z.size())) {}

  void launch(const Cuda& device, int set) const {
    const T* of_x = x.at(set);
    const T* of_dy = dy.at(set);
    kernels::squeeze_excite_dots(device, partial.at(set), of_dy, of_x, p);
    kernels::squeeze_excite_gates_backward(
        device, dmean.at(set), {dw1.at(set), db1.at(set), dw2.at(set), db2.at(set)},
        {of_gate.at(set), of_z.at(set), h.at(set)}, partial.at(set),
        kernels::squeeze_excite_shares(p), gates.at(set), {mean.at(set), z.at(set)}, w.at(set), p);
    kernels::squeeze_excite_scale_backward(device, dx.at(set), of_dy, gates.at(set), dmean.at(set),
                                           p);
  }

  std::string verify() const {
    const auto of_x = x.values(), of_dy = dy.values();
    const auto g = gates.values(), hidden = z.values();
    auto dg = pooled(p, [&](std::size_t i) {
      return static_cast<double>(of_x[i]) * static_cast<double>(of_dy[i]);
    });
    for (std::size_t i = 0; i < dg.size(); ++i) dg[i] *= double{g[i]} * (1 - double{g[i]});
    std::vector<double> kept;
    auto dz = product(dg, transposed(w.w2.values(), p.r, p.c), p.n, p.c, p.r);
    for (std::size_t i = 0; i < dz.size(); ++i) {
      const double v = double{hidden[i]}, s = sigmoid(v);
      kept.push_back(v * s);
      dz[i] *= s * (1 + v * (1 - s));
    }
    const auto dm = product(dz, transposed(w.w1.values(), p.c, p.r), p.n, p.r, p.c);
    std::vector<double> expected;
    const auto c = static_cast<std::size_t>(p.c), image = static_cast<std::size_t>(p.pixels) * c;
    for (std::size_t i = 0; i < of_x.size(); ++i) {
      const std::size_t k = i / image * c + i % c;
      expected.push_back(static_cast<double>(of_dy[i]) * double{g[k]} + dm[k] / p.pixels);
    }
    for (const auto& wrong :
         {mismatch(dx.read(), expected),
          mismatch(dw1.read(), product(transposed(mean.values(), p.n, p.c), dz, p.c, p.n, p.r)),
          mismatch(dw2.read(), product(transposed(kept, p.n, p.r), dg, p.r, p.n, p.c))})
      if (!wrong.empty()) return wrong;
    return {};
  }
};

// Four launches.
template <Storage T>
Work backward(Arrays& arrays, const SqueezeExciteParams& p) {
  const Backward<T> b(arrays, p);
  return {[=](const Cuda& device, int set) { b.launch(device, set); }, [=] { return b.verify(); }};
}

template <Storage T>
void add(const Block& b, int batch) {
  const auto size = b.out_size;
  const SqueezeExciteParams full{batch, static_cast<int>(size * size), static_cast<int>(b.mid),
                                 static_cast<int>(b.in / 4)};
  const SqueezeExciteParams reduced{2, 25, full.c, full.r};
  const double elements = static_cast<double>(count(full)), weights = 2.0 * full.c * full.r;
  const std::string shape = str("b0_", b.name, '_', size, 'x', size, 'x', b.mid);
  const auto add_pass = [&](const char* kernel, double passes, double of_weights, auto make) {
    cases().push_back({.name = case_name(kernel, shape, dtype_name<T>, batch),
                       .cost = {sizeof(T) * (passes * elements + weights) + of_weights,
                                2 * elements + 2 * weights * batch},
                       .quick = is_quick<T>(batch, is_typical(b)),
                       .make = [=](Arrays& arrays) { return make(arrays, full); },
                       .reduced = [=](Arrays& arrays) { return make(arrays, reduced); }});
  };
  add_pass("squeeze_excite", 3, 0, forward<T>);
  add_pass("squeeze_excite_backward", 5, 4 * weights, backward<T>);
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
