// The 3x3 convolutions of RRDBNet and SRVGGNetCompact with their epilogues, weights packed once.

#include <mien/cuda/conv3x3.hpp>

#include "cuda/cases.hpp"
#include "cuda/cudnn.hpp"
#include "cuda/super_resolution.hpp"

namespace mien::bench {
namespace {

using kernels::Conv3x3Layout;
using kernels::Conv3x3Params;
using kernels::Storage;

constexpr float leak = 0.2f, residual_scale = 0.2f;

Conv3x3Params params(const Convolution3x3& c, int batch, int size) {
  return {batch, size, size, c.in, c.out, c.in_stride, c.out_stride, c.upsample};
}

// What lies in one image with the input, behind it.
bool in_place(const Convolution3x3& c) { return c.in_stride == c.out_stride && c.in_stride == 192; }

template <Storage T>
struct Buffers {
  Array<T> x, y, packed, residual;
  Array<float> w, bias, slopes;
  std::int64_t y_pixels;

  Buffers(Arrays& arrays, const Convolution3x3& c, const Conv3x3Params& p)
      : y_pixels(std::int64_t{p.n} * p.h * p.w * (p.upsample ? 4 : 1)) {
    x = arrays.input<T>(std::int64_t{p.n} * p.h * p.w * c.in_stride);
    if (!in_place(c)) y = arrays.output<T>(y_pixels * c.out_stride);
    if (c.tail == Tail::residual) residual = arrays.input<T>(y_pixels * c.out);
    packed = arrays.output<T>(Conv3x3Layout::of<T>(p).size());
    w = arrays.input<float>(std::int64_t{9} * c.in * c.out, -0.1f, 0.1f);
    bias = arrays.input<float>(c.out);
    if (c.tail == Tail::prelu) slopes = arrays.input<float>(c.out, 0, 0.5f);
  }

  T* out(const Convolution3x3& c, int set) const {
    return in_place(c) ? x.at(set) + c.in : y.at(set);
  }
  kernels::Conv3x3Epilogue<T> epilogue(const Convolution3x3& c, int set) const {
    kernels::Conv3x3Epilogue<T> e;
    e.bias = bias.at(set);
    if (c.tail == Tail::leaky_relu) e.slope = leak;
    if (c.tail == Tail::prelu) e.slopes = slopes.at(set);
    if (c.tail == Tail::residual) e.residual = {residual.at(set), c.out, residual_scale};
    return e;
  }
};

// By the definition, in double.
template <Storage T>
std::vector<double> reference(const Buffers<T>& b, const Convolution3x3& c,
                              const Conv3x3Params& p) {
  const int factor = p.upsample ? 2 : 1, h = p.h * factor, w = p.w * factor;
  const auto x = b.x.values();
  const auto weights = b.w.values(), bias = b.bias.values();
  const auto slopes = c.tail == Tail::prelu ? b.slopes.values() : std::vector<float>();
  const auto residual = c.tail == Tail::residual ? b.residual.values() : std::vector<T>();
  std::vector<double> y;
  for (int i = 0; i < p.n * h * w; ++i)
    for (int o = 0; o < c.out; ++o) {
      double sum = double{bias[static_cast<std::size_t>(o)]};
      for (int tap = 0; tap < 9; ++tap) {
        const int row = i / w % h + tap / 3 - 1, column = i % w + tap % 3 - 1;
        if (row < 0 || row >= h || column < 0 || column >= w) continue;
        const int pixel = (i / (w * h) * p.h + row / factor) * p.w + column / factor;
        for (int k = 0; k < c.in; ++k)
          sum += static_cast<double>(x[static_cast<std::size_t>(pixel * c.in_stride + k)]) *
                 double{weights[static_cast<std::size_t>((o * c.in + k) * 9 + tap)]};
      }
      if (c.tail == Tail::leaky_relu && sum < 0) sum *= double{leak};
      if (c.tail == Tail::prelu && sum < 0) sum *= double{slopes[static_cast<std::size_t>(o)]};
      if (c.tail == Tail::residual)
        sum = sum * double{residual_scale} + static_cast<double>(residual[y.size()]);
      y.push_back(sum);
    }
  return y;
}

template <Storage T>
Work convolve(Arrays& arrays, const Convolution3x3& c, const Conv3x3Params& p) {
  const Buffers<T> b(arrays, c, p);
  return {[=](const Cuda& device, int set) {
            kernels::conv3x3(device, b.out(c, set), b.x.at(set), b.packed.at(set), p,
                             b.epilogue(c, set));
          },
          [=] {
            const auto all = in_place(c) ? b.x.read() : b.y.read();
            std::vector<T> got;
            for (std::int64_t i = 0; i < b.y_pixels; ++i)
              for (int o = 0; o < c.out; ++o)
                got.push_back(
                    all[static_cast<std::size_t>(i * c.out_stride + (in_place(c) ? c.in : 0) + o)]);
            return mismatch(got, reference(b, c, p), 2);  // weights are rounded too
          },
          [=](const Cuda& device, int set) {
            kernels::pack_conv3x3(device, b.packed.at(set), b.w.at(set), p);
          }};
}

template <Storage T>
void add(const Convolution3x3& c, int batch) {
  const auto full = params(c, batch, c.size), reduced = params(c, 1, 9);
  const int out_size = c.upsample ? 2 * c.size : c.size;
  const double pixels = double(batch) * out_size * out_size;
  const double reads = double(batch) * c.size * c.size * c.in;
  const double writes = pixels * c.out, weights = 9.0 * c.in * c.out;
  const double residual = c.tail == Tail::residual ? writes : 0;
  const Cost cost{sizeof(T) * (reads + writes + weights + residual),
                  (c.upsample ? 8.0 : 18.0) * c.in * writes, matrix_unit<T>};
  Case work{.name = case_name("conv3x3",
                              str(c.name, '_', out_size, 'x', out_size, 'x', c.in, "to", c.out),
                              dtype_name<T>, batch),
            .cost = cost,
            .quick = is_quick<T>(batch, c.typical),
            .make = [=](Arrays& arrays) { return convolve<T>(arrays, c, full); },
            .reduced = [=](Arrays& arrays) { return convolve<T>(arrays, c, reduced); }};
  // cuDNN is given the enlarged image, and no epilogue.
  const cudnn::Convolution peer{
      {batch, out_size, out_size, c.in}, {batch, out_size, out_size, c.out}, 3, 1, 1, 1};
  add_with_peer(std::move(work), [=](Arrays& arrays) {
    return cudnn::convolution<T>(arrays, peer, cudnn::Pass::forward);
  });
}

const bool registered = [] {
  for_each_storage([]<class T>() {
    for (const auto& c : super_resolution_convolutions())
      for (const int batch : batches) add<T>(c, batch);
  });
  return true;
}();

}  // namespace
}  // namespace mien::bench
