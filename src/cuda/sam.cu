#include <mien/cuda/sam.cuh>

namespace mien::kernels {

template void sam_norm(Cuda, float*, const SamWorkspace&, const float*, const float*, std::int64_t);

#define MIEN_INSTANCES(S)                                                                  \
  template void sam_perturb(Cuda, S*, unsigned*, const float*, const float*, const float*, \
                            const SamParams&);                                             \
  template void sgd(Cuda, float*, float*, S*, const float*, const UpdateParams&,           \
                    const SgdParams&);                                                     \
  template void adam(Cuda, float*, float*, float*, S*, const float*, const UpdateParams&,  \
                     const AdamParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
