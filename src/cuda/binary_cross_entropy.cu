#include <mien/cuda/binary_cross_entropy.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                              \
  template void binary_cross_entropy(Cuda, float*, T*, const LossWorkspace&, const T*, \
                                     const float*, const std::uint8_t*, const float*,  \
                                     const BinaryCrossEntropyParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
