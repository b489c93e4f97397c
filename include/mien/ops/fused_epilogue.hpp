#pragma once
// What the convolutions' paths without gradients do to a sum before it is stored:
//   y = act(sum * scale + shift) * out_scale + residual
// act is stated by the convolution's options; scale and shift hold a bias or a frozen batch norm
// (fold_batch_norm); out_scale and residual end a residual block.

#include <mien/cpu/epilogue.hpp>
#include <mien/ops/activation.hpp>

namespace mien {

template <class T>
struct FusedEpilogue {
  Tensor<Compute<T>> scale = {}, shift = {};  // (c); absent: 1 and 0
  Tensor<Compute<T>> slopes = {};             // (c), where act is prelu
  double out_scale = 1;
  Tensor<T> residual = {};  // shape of y; channels of a wider image are read where they lie
};

namespace ops {

// Strides of images that kernels can read or write where they lie: channels adjacent. A size of 1
// has no stride of its own (0).
struct ImageStrides {
  std::int64_t pixel, row, image;

  template <class T>
  ImageStrides(const Tensor<T>& x, std::string_view where) {
    check(x.rank() == 4, where, "expected images (n, h, w, c), got ", x.shape());
    check(x.dim(3) == 1 || x.strides()[3] == 1, where, "channels must be adjacent, strides are ",
          x.strides());
    pixel = x.strides()[2];
    row = x.dim(1) == 1 ? x.dim(2) * pixel : x.strides()[1];
    image = x.dim(0) == 1 ? x.dim(1) * row : x.strides()[0];
  }
};

// Fails where a path that keeps nothing for backward would lose a gradient.
template <class... Tensors>
void check_not_recorded(std::string_view where, const Tensors&... tensors) {
  check(!grad_enabled() || !(tensors.requires_grad() || ...), where,
        "keeps nothing for backward; call it under NoGrad");
}

// The kernels' form, checked; its pointers stay valid as long as `e`. y: shape of the result.
template <class T>
kernels::Epilogue<T> kernel_epilogue(const FusedEpilogue<T>& e, Activation activation, double slope,
                                     const Shape& y, std::string_view where) {
  const auto channels = [&](const Tensor<Compute<T>>& p, std::string_view what) {
    check(!p.defined() || (p.shape() == Shape{y[3]} && p.is_contiguous()), where, "expected ", what,
          " of shape ", Shape{y[3]}, ", got ", p.shape());
    return p.data();
  };
  kernels::Epilogue<T> out{.scale = channels(e.scale, "a scale"),
                           .shift = channels(e.shift, "a shift"),
                           .activation = activation,
                           .slope = static_cast<Compute<T>>(slope),
                           .slopes = channels(e.slopes, "slopes"),
                           .out_scale = static_cast<Compute<T>>(e.out_scale)};
  check(activation != Activation::prelu || e.slopes.defined(), where, "prelu needs its slopes");
  if (e.residual.defined()) {
    check(e.residual.shape() == y, where, "expected a residual of shape ", y, ", got ",
          e.residual.shape());
    const ImageStrides strides(e.residual, where);
    check(strides.row == y[2] * strides.pixel && strides.image == y[1] * strides.row, where,
          "the residual's rows must follow one another, strides are ", e.residual.strides());
    out.residual = e.residual.data();
    out.residual_pixel = strides.pixel;
  }
  return out;
}

}  // namespace ops
}  // namespace mien
