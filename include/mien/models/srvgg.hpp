#pragma once
// SRVGGNetCompact, Real-ESRGAN's small generator: a chain of 3x3 convolutions with PReLU, a pixel
// shuffle, and the input added, enlarged by nearest neighbour. Wang, Xie, Dong, Shan:
// "Real-ESRGAN", ICCV workshops 2021, and its code release. Names of parameters are the release's.

#include <vector>

#include <mien/models/srvgg_options.hpp>
#include <mien/nn/conv2d.hpp>
#include <mien/nn/prelu.hpp>
#include <mien/ops/add.hpp>
#include <mien/ops/pixel_shuffle.hpp>
#include <mien/ops/resize_nearest.hpp>

namespace mien::models {

template <FloatElement T>
class SrvggNetCompact : public nn::Module<T> {
 public:
  explicit SrvggNetCompact(const SrvggOptions& o) : options_(o) {
    const std::int64_t last = o.num_out_ch * o.upscale * o.upscale;
    for (std::int64_t i = 0; i <= o.num_conv + 1; ++i)
      convs.push_back(nn::Conv2d<T>({.in = i == 0 ? o.num_in_ch : o.num_feat,
                                     .out = i > o.num_conv ? last : o.num_feat,
                                     .kernel = 3,
                                     .padding = 1}));
    for (std::int64_t i = 0; i <= o.num_conv; ++i) slopes.push_back(nn::Prelu<T>(o.num_feat));
  }

  // (n, h, w, 3) -> (n, h upscale, w upscale, 3)
  Tensor<T> forward(const Tensor<T>& x) const {
    Tensor<T> y = x;
    for (std::size_t i = 0; i < slopes.size(); ++i) y = nn::conv_prelu(convs[i], slopes[i], y);
    y = pixel_shuffle(convs.back().forward(y), options_.upscale);
    const Size2d size(x.dim(1) * options_.upscale, x.dim(2) * options_.upscale);
    return y + resize_nearest(x, size);
  }

  void parts(nn::Parts<T>& p) override {
    for (std::size_t i = 0; i < convs.size(); ++i) {
      p.child(str("body.", 2 * i), convs[i]);
      if (i < slopes.size()) p.child(str("body.", 2 * i + 1), slopes[i]);
    }
  }

  int scale() const { return options_.upscale; }
  // Pixels that an output pixel sees beyond its own, on each side, in input pixels.
  int receptive_radius() const { return static_cast<int>(convs.size()); }
  const SrvggOptions& options() const { return options_; }

  std::vector<nn::Conv2d<T>> convs;
  std::vector<nn::Prelu<T>> slopes;

 private:
  SrvggOptions options_;
};

}  // namespace mien::models
