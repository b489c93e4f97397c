#include <mien/cuda/ccc.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                  \
  template void ccc_moments(Cuda, CccColumn*, const CccWorkspace&, const T*, const float*, \
                            const std::uint8_t*, const CccParams&);                        \
  template void ccc_gradient(Cuda, T*, const CccColumn*, const T*, const float*,           \
                             const std::uint8_t*, const CccParams&, float);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
