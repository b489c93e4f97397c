#include <mien/cuda/swish.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                      \
  template void swish(Cuda, T*, const T*, const SwishParams&); \
  template void swish_backward(Cuda, T*, const T*, const T*, const SwishParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
