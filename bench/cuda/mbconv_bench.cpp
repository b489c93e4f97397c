// The blocks of EfficientNet-B0 in inference, by the way that the cost model picks, and by each way
// that can run them.

#include <mien/cuda/mbconv.hpp>

#include "cuda/cases.hpp"

namespace mien::bench {
namespace {

using kernels::MbconvParams;
using kernels::MbconvPlan;
using kernels::MbconvWay;
using kernels::Storage;

MbconvParams params(const Block& b, int batch, int size) {
  const int kernel = static_cast<int>(b.kernel), stride = static_cast<int>(b.stride);
  const int out = (size + stride - 1) / stride;
  const int pad = std::max(0, ((out - 1) * stride + kernel - size) / 2);
  return {.n = batch,
          .h = size,
          .w = size,
          .in_c = static_cast<int>(b.in),
          .mid_c = static_cast<int>(b.mid),
          .out_c = static_cast<int>(b.out),
          .squeezed_c = static_cast<int>(b.in / 4),
          .kernel = kernel,
          .stride = stride,
          .out_h = out,
          .out_w = out,
          .pad_top = pad,
          .pad_left = pad,
          .residual = b.stride == 1 && b.in == b.out};
}

// The first block does not: its depthwise convolution reads x.
bool expands(const MbconvParams& p) { return p.mid_c != p.in_c; }

std::int64_t x_size(const MbconvParams& p) { return std::int64_t{p.n} * p.h * p.w * p.in_c; }
std::int64_t y_size(const MbconvParams& p) {
  return std::int64_t{p.n} * p.out_h * p.out_w * p.out_c;
}

template <Storage T>
struct Network {
  Array<T> expand, depthwise, project, w1, b1, w2, b2;
  Array<float> expand_shift, depthwise_shift, project_shift;

  Network(Arrays& arrays, const MbconvParams& p) {
    const auto weights = [&](int out, int fan_in) {
      const float range = weight_range(fan_in);
      return arrays.input<T>(std::int64_t{out} * fan_in, -range, range);
    };
    expand = weights(p.mid_c, p.in_c);
    depthwise = weights(p.mid_c, p.kernel * p.kernel);
    project = weights(p.out_c, p.mid_c);
    w1 = weights(p.squeezed_c, p.mid_c);
    b1 = arrays.input<T>(p.squeezed_c);
    w2 = weights(p.mid_c, p.squeezed_c);
    b2 = arrays.input<T>(p.mid_c);
    expand_shift = arrays.input<float>(p.mid_c);
    depthwise_shift = arrays.input<float>(p.mid_c);
    project_shift = arrays.input<float>(p.out_c);
  }

  kernels::MbconvWeights<T> at(int set) const {
    return {expand.at(set),
            expand_shift.at(set),
            depthwise.at(set),
            depthwise_shift.at(set),
            {w1.at(set), b1.at(set), w2.at(set), b2.at(set)},
            project.at(set),
            project_shift.at(set)};
  }
};

// y (rows, out) = x (rows, in) w + shift, with w (out, in), or (in, out) where `by_input`.
template <class W, class S>
std::vector<double> dense(const std::vector<double>& x, const std::vector<W>& w,
                          const std::vector<S>& shift, bool by_input = false) {
  const std::size_t out = shift.size(), in = w.size() / out;
  std::vector<double> y;
  for (std::size_t i = 0; i < x.size(); i += in)
    for (std::size_t o = 0; o < out; ++o) {
      double sum = static_cast<double>(shift[o]);
      for (std::size_t k = 0; k < in; ++k)
        sum += x[i + k] * static_cast<double>(w[by_input ? k * out + o : o * in + k]);
      y.push_back(sum);
    }
  return y;
}

template <class F>
void apply(std::vector<double>& values, const F& f) {
  for (double& v : values) v = f(v);
}

// The block in double.
template <Storage T>
std::vector<double> reference(const MbconvParams& p, const std::vector<T>& of_x,
                              const Network<T>& net) {
  std::vector<double> x;
  for (const T value : of_x) x.push_back(static_cast<double>(value));
  auto e = x;
  if (expands(p)) {
    e = dense(x, net.expand.values(), net.expand_shift.values());
    apply(e, silu);
  }
  const auto mid = static_cast<std::size_t>(p.mid_c);
  const auto pixels = static_cast<std::size_t>(p.out_h * p.out_w);
  const auto taps = net.depthwise.values();
  const auto shift = net.depthwise_shift.values();
  std::vector<double> d, means(static_cast<std::size_t>(p.n) * mid);
  for (int i = 0; i < p.n * p.out_h * p.out_w; ++i)
    for (std::size_t c = 0; c < mid; ++c) {
      double sum = double{shift[c]};
      for (int tap = 0; tap < p.kernel * p.kernel; ++tap) {
        const int row = i / p.out_w % p.out_h * p.stride - p.pad_top + tap / p.kernel,
                  column = i % p.out_w * p.stride - p.pad_left + tap % p.kernel;
        if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
        const int pixel = (i / (p.out_w * p.out_h) * p.h + row) * p.w + column;
        sum += e[static_cast<std::size_t>(pixel) * mid + c] *
               static_cast<double>(taps[static_cast<std::size_t>(tap) * mid + c]);
      }
      d.push_back(silu(sum));
      means[static_cast<std::size_t>(i) / pixels * mid + c] +=
          d.back() / static_cast<double>(pixels);
    }
  auto h = dense(means, net.w1.values(), net.b1.values(), true);
  apply(h, silu);
  auto gates = dense(h, net.w2.values(), net.b2.values(), true);
  apply(gates, sigmoid);
  for (std::size_t i = 0; i < d.size(); ++i) d[i] *= gates[i / (pixels * mid) * mid + i % mid];
  auto y = dense(d, net.project.values(), net.project_shift.values());
  if (p.residual)
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[i];
  return y;
}

template <Storage T>
Work block(Arrays& arrays, const MbconvParams& p, const MbconvPlan& plan) {
  const auto x = arrays.input<T>(x_size(p)), y = arrays.output<T>(y_size(p));
  const Network<T> net(arrays, p);
  const auto workspace = arrays.workspace<std::uint8_t>(
      static_cast<std::int64_t>(kernels::mbconv_workspace<T>(p, plan)));
  return {[=](const Cuda& device, int set) {
            kernels::mbconv(device, y.at(set), workspace.at(set), x.at(set), net.at(set), p, plan);
          },
          [=] { return mismatch(y.read(), reference(p, x.values(), net), 4); }};
}

template <Storage T>
void add(const Block& b, int batch) {
  const auto full = params(b, batch, static_cast<int>(b.size));
  const auto reduced = params(b, 2, std::min(10, full.h));
  const double in = static_cast<double>(x_size(full)), out = static_cast<double>(y_size(full)),
               mid = static_cast<double>(b.mid), e = expands(full) ? in / full.in_c * mid : 0,
               d = out / full.out_c * mid;
  const double weights = mid * ((expands(full) ? full.in_c : 0) + full.kernel * full.kernel +
                                2 * full.squeezed_c + full.out_c);
  const Cost cost{sizeof(T) * (in + out + weights),
                  2 * (e * full.in_c + d * (full.kernel * full.kernel + full.out_c) +
                       2 * mid * full.squeezed_c * batch),
                  matrix_unit<T>};
  const std::string shape = str("b0_", b.name, '_', b.size, 'x', b.size, 'x', b.in, "to", b.out,
                                "_k", b.kernel, 's', b.stride);
  const auto add_plan = [&](const char* kernel, const MbconvPlan& plan,
                            const MbconvPlan& of_reduced, bool quick) {
    cases().push_back(
        {.name = case_name(kernel, shape, dtype_name<T>, batch),
         .cost = cost,
         .quick = quick && b.distinct,
         .make = [=](Arrays& arrays) { return block<T>(arrays, full, plan); },
         .reduced = [=](Arrays& arrays) { return block<T>(arrays, reduced, of_reduced); }});
  };
  // The reduced shape goes the way of the full one.
  const auto planned = kernels::mbconv_plan<T>(full);
  const bool quick = is_quick<T>(batch, is_typical(b));
  add_plan("mbconv", planned, kernels::mbconv_plan<T>(reduced, planned.way), quick);
  for (const auto& [name, way] : {std::pair{"mbconv_per_op", MbconvWay::per_op},
                                  {"mbconv_expand_fused", MbconvWay::expand_fused},
                                  {"mbconv_whole_block", MbconvWay::whole_block}}) {
    const auto plan = kernels::mbconv_plan<T>(full, way);
    if (std::isfinite(plan.cost.seconds))
      add_plan(name, plan, kernels::mbconv_plan<T>(reduced, way), quick && is_typical(b));
  }
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const Block& b : efficientnet_b0_blocks())
      for (const int batch : batches) add<T>(b, batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
