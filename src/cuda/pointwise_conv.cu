#include <mien/cuda/pointwise_conv.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                \
  template void pointwise_conv(Cuda, T*, const T*, const T*, const PointwiseConvParams&, \
                               const PointwiseConvEpilogue<T>&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
