#include <mien/cuda/leaky_relu.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                               \
  template void leaky_relu(Cuda, T*, const T*, const LeakyReluParams&); \
  template void leaky_relu_backward(Cuda, T*, const T*, const T*, const LeakyReluParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
