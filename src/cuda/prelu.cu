#include <mien/cuda/prelu.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                   \
  template void prelu(Cuda, T*, const T*, const float*, const PreluParams&);                \
  template void prelu_backward(Cuda, T*, float*, const PreluWorkspace&, const T*, const T*, \
                               const float*, const PreluParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
