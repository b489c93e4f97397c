#pragma once
// cuDNN as a peer: the same passes at the same shapes, NHWC, arithmetic in float, by the algorithm
// that cuDNN itself finds fastest. Without cuDNN at build time the cases stay without this peer.

#include <string>

#include "cuda/cases.hpp"

namespace mien::bench::cudnn {

std::string version();  // empty: not there

struct Tensor {
  int n, h, w, c;
};

// y (n, out_h, out_w, out_c) from x, padded by `pad` on every side: cuDNN knows no asymmetric one.
struct Convolution {
  Tensor x, y;
  int kernel, stride, pad, groups;
};

enum class Pass { forward, data_grad, weight_grad };

template <kernels::Storage T>
Work convolution(Arrays& arrays, const Convolution& conv, Pass pass);

template <kernels::Storage T>
Work swish(Arrays& arrays, const Tensor& x);
template <kernels::Storage T>
Work swish_backward(Arrays& arrays, const Tensor& x);

// Batch norm with the statistics of the batch, without activation.
template <kernels::Storage T>
Work batch_norm(Arrays& arrays, const Tensor& x);
template <kernels::Storage T>
Work batch_norm_backward(Arrays& arrays, const Tensor& x);

}  // namespace mien::bench::cudnn

namespace mien::bench {

// Adds a case, and beside it what cuDNN does for the same shape.
template <class F>
void add_with_peer(Case c, F&& peer) {
  Case of_peer{.name = c.name + "/cudnn", .cost = c.cost, .quick = c.quick, .make = peer};
  cases().push_back(std::move(c));
  if (!cudnn::version().empty()) cases().push_back(std::move(of_peer));
}

}  // namespace mien::bench
