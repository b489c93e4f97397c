#include <mien/cuda/depthwise_conv_grad.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                          \
  template void depthwise_conv(Cuda, T*, const T*, const T*, int, int, const DepthwiseConvParams&, \
                               const DepthwiseConvEpilogue&);                                      \
  template void depthwise_pool(Cuda, T*, const float*, int, const DepthwiseConvParams&);           \
  template void depthwise_conv_data_grad(Cuda, T*, const T*, const T*, int, int,                   \
                                         const DepthwiseConvParams&);                              \
  template void depthwise_conv_weight_grad(Cuda, T*, float*, const T*, const T*, int, int,         \
                                           const DepthwiseConvParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
