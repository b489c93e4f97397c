// The pointwise convolutions of EfficientNet-B0 in inference: expansions with SiLU, projections
// with the scales of squeeze-excite and the residual, and the head.

#include <mien/cuda/pointwise_conv.hpp>

#include "cuda/cases.hpp"
#include "cuda/cudnn.hpp"

namespace mien::bench {
namespace {

using kernels::PointwiseConvParams;
using kernels::Storage;

struct Product {
  std::string name;
  int size, in, out;
  bool silu, scaled, residual, typical;
};

std::vector<Product> products() {
  std::vector<Product> all;
  for (const Block& b : distinct_blocks()) {
    const int in = static_cast<int>(b.in), mid = static_cast<int>(b.mid),
              out = static_cast<int>(b.out);
    if (b.mid != b.in)
      all.push_back({"b0_" + b.name + "_expand", static_cast<int>(b.size), in, mid, true, false,
                     false, is_typical(b)});
    all.push_back({"b0_" + b.name + "_project", static_cast<int>(b.out_size), mid, out, false, true,
                   b.stride == 1 && b.in == b.out, is_typical(b)});
  }
  all.push_back({"b0_head", 7, 320, 1280, true, false, false, false});
  return all;
}

template <Storage T>
Work multiply(Arrays& arrays, const Product& m, int batch, int size) {
  const PointwiseConvParams p{std::int64_t{batch} * size * size, size * size, m.in, m.out};
  const auto x = arrays.input<T>(p.pixels * m.in), w = arrays.input<T>(std::int64_t{m.in} * m.out),
             y = arrays.output<T>(p.pixels * m.out);
  const auto shift = arrays.input<float>(m.out);
  Array<float> scale;
  Array<T> residual;
  if (m.scaled) scale = arrays.input<float>(std::int64_t{batch} * m.in, 0, 1);
  if (m.residual) residual = arrays.input<T>(y.size());
  return {[=](const Cuda& device, int set) {
            kernels::PointwiseConvEpilogue<T> e;
            if (m.scaled) e.in_scale = scale.at(set);
            if (m.residual) e.residual = residual.at(set);
            e.shift = shift.at(set);
            e.silu = m.silu;
            kernels::pointwise_conv(device, y.at(set), x.at(set), w.at(set), p, e);
          },
          [=] {
            const auto of_x = x.values(), of_w = w.values();
            const auto of_scale = m.scaled ? scale.values() : std::vector<float>();
            const auto of_residual = m.residual ? residual.values() : std::vector<T>();
            const auto of_shift = shift.values();
            const auto in = static_cast<std::size_t>(m.in), out = static_cast<std::size_t>(m.out);
            std::vector<double> expected;
            for (std::size_t i = 0; i < of_x.size() / in; ++i)
              for (std::size_t o = 0; o < out; ++o) {
                double sum = double{of_shift[o]};
                const std::size_t image = i / static_cast<std::size_t>(p.pixels_per_image);
                for (std::size_t k = 0; k < in; ++k)
                  sum += static_cast<double>(of_x[i * in + k]) *
                         static_cast<double>(of_w[o * in + k]) *
                         (m.scaled ? double{of_scale[image * in + k]} : 1.0);
                if (m.silu) sum = silu(sum);
                if (m.residual) sum += static_cast<double>(of_residual[i * out + o]);
                expected.push_back(sum);
              }
            return mismatch(y.read(), expected, 2);  // the scaled x is rounded too
          }};
}

template <Storage T>
void add(const Product& m, int batch) {
  const double pixels = double(batch) * m.size * m.size, weights = double(m.in) * m.out;
  const Cost cost{sizeof(T) * (pixels * (m.in + m.out * (m.residual ? 2 : 1)) + weights),
                  2 * pixels * weights, matrix_unit<T>};
  const std::string shape = str(m.name, '_', m.size, 'x', m.size, 'x', m.in, "to", m.out);
  Case work{.name = case_name("pointwise_conv", shape, dtype_name<T>, batch),
            .cost = cost,
            .quick = is_quick<T>(batch, m.typical),
            .make = [=](Arrays& arrays) { return multiply<T>(arrays, m, batch, m.size); },
            .reduced = [=](Arrays& arrays) { return multiply<T>(arrays, m, 2, 5); }};
  // cuDNN scales nothing and has no epilogue.
  const cudnn::Convolution peer{
      {batch, m.size, m.size, m.in}, {batch, m.size, m.size, m.out}, 1, 1, 0, 1};
  add_with_peer(std::move(work), [=](Arrays& arrays) {
    return cudnn::convolution<T>(arrays, peer, cudnn::Pass::forward);
  });
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const Product& m : products())
      for (const int batch : batches) add<T>(m, batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
