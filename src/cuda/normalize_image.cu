#include <mien/cuda/normalize_image.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                  \
  template void normalize_image(Cuda, T*, const std::uint8_t*, const float*, const float*, \
                                const std::uint8_t*, const NormalizeImageParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
