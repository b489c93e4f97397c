#include <mien/cuda/cross_entropy.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                     \
  template void cross_entropy(Cuda, float*, T*, unsigned*, const LossWorkspace&, const T*,    \
                              const std::int32_t*, const float*, const CrossEntropyParams&);  \
  template void cross_entropy(Cuda, float*, T*, unsigned*, const LossWorkspace&, const T*,    \
                              const std::int64_t*, const float*, const CrossEntropyParams&);  \
  template void cross_entropy(Cuda, float*, T*, const LossWorkspace&, const T*, const float*, \
                              const float*, const CrossEntropyParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
