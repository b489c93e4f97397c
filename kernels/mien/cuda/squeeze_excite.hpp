#pragma once
// Squeeze-and-excitation, x (n, pixels, c): channels rescaled by gates computed from their means.
//
//   m = mean of x over pixels,  z = m w1 + b1,  h = z sigmoid(z),  g = sigmoid(h w2 + b2),  y = x g
//
// and the gradients. w1 (c, r) and w2 (r, c), as NHWC 1x1 convolutions hold them. Hu, Shen, Sun:
// "Squeeze-and-excitation networks", CVPR 2018.
//
// Forward takes three launches: sums over pixels, gates, scaling. The first falls away behind a
// kernel that leaves the same partial sums (n, shares, c), such as a depthwise convolution's, and
// the last where what follows multiplies by the gates. Means, z and gates are kept for backward, (2
// c + r) numbers an image, because computing them again would cost a launch. Backward takes four:
// sums of dy x, the gates' network, its weights' gradients, dx. Every sum is taken in a fixed
// order: the same bits in every run.
//
// Roofline, per element of x with b bytes: sums b and 1 flop; scaling 2 b and 1 flop; backward 2 b
// for the sums and 2 b for dx, 2 flops each. The network reads 2 c r weights and takes 4 c r flops
// an image, 16 KB to 430 KB of weights in f32 for EfficientNet-B0's: bound by the latency of three
// dependent sums, a few microseconds. Its weights' gradients take 4 c r n flops.

#include <cstdint>

#include <mien/cuda/stream.hpp>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

struct SqueezeExciteParams {
  int n, pixels;  // images, up to 65,535, of h w pixels
  int c, r;       // channels, and those of the hidden layer: 50,000 together fit shared memory
};

template <class T>
struct SqueezeExciteWeights {
  const T *w1, *b1;  // (c, r), (r)
  const T *w2, *b2;  // (r, c), (c)
};

struct SqueezeExciteGradients {
  float *w1, *b1, *w2, *b2;
};

// What gates keep for backward.
struct SqueezeExciteKept {
  float* mean;  // (n, c)
  float* z;     // (n, r)
};

// Memory of the gates' backward beside its results: (n, c), (n, r) and (n, r) floats.
struct SqueezeExciteWorkspace {
  float *gate, *z, *h;  // gradients at the gates' argument and at z; h
};

// Shares of the sums over pixels: four blocks of 256 threads for each SM of a large GPU, or a share
// for every 128 pixels.
inline int squeeze_excite_shares(const SqueezeExciteParams& p) {
  const std::int64_t wanted = blocks_of_part(std::int64_t{p.n} * ceil_div(p.c, 64), 4);
  const std::int64_t possible = ceil_div(p.pixels, 128);
  return static_cast<int>(wanted < possible ? wanted : possible);
}

// partial (n, squeeze_excite_shares(p), c; aligned to 32 bytes): sums of x (n, pixels, c) over
// pixels.
template <Storage T>
void squeeze_excite_sums(Cuda device, float* partial, const T* x, const SqueezeExciteParams& p);

// gates (n, c) from partial sums (n, shares, c); what `kept` holds, unless null.
template <Storage T>
void squeeze_excite_gates(Cuda device, float* gates, const SqueezeExciteKept& kept,
                          const float* partial, int shares, const SqueezeExciteWeights<T>& weights,
                          const SqueezeExciteParams& p);

// y = x gates (n, pixels, c); y may be x.
template <Storage T>
void squeeze_excite_scale(Cuda device, T* y, const T* x, const float* gates,
                          const SqueezeExciteParams& p);

// partial (n, squeeze_excite_shares(p), c; aligned to 32 bytes): sums of dy x over pixels, the
// gates' gradient.
template <Storage T>
void squeeze_excite_dots(Cuda device, float* partial, const T* dy, const T* x,
                         const SqueezeExciteParams& p);

// dmean (n, c): the gradient at the means, divided by the number of pixels; and that of the
// weights. partial (n, shares, c) holds the gates' gradient in shares.
template <Storage T>
void squeeze_excite_gates_backward(Cuda device, float* dmean, const SqueezeExciteGradients& dw,
                                   const SqueezeExciteWorkspace& workspace, const float* partial,
                                   int shares, const float* gates, const SqueezeExciteKept& kept,
                                   const SqueezeExciteWeights<T>& weights,
                                   const SqueezeExciteParams& p);

// dx = dy gates + dmean (n, pixels, c); dx may be dy.
template <Storage T>
void squeeze_excite_scale_backward(Cuda device, T* dx, const T* dy, const float* gates,
                                   const float* dmean, const SqueezeExciteParams& p);

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
