#include <mien/cuda/pixel_shuffle.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                               \
  template void pixel_shuffle(Cuda, T*, const T*, const T*, const PixelShuffleParams&); \
  template void pixel_unshuffle(Cuda, T*, const T*, const PixelShuffleParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
