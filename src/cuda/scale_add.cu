#include <mien/cuda/scale_add.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T) \
  template void scale_add(Cuda, T*, const T*, const T*, const ScaleAddParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
