#include <mien/cuda/conv3x3.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                   \
  template void pack_conv3x3(Cuda, T*, const float*, const Conv3x3Params&); \
  template void conv3x3(Cuda, T*, const T*, const T*, const Conv3x3Params&, \
                        const Conv3x3Epilogue<T>&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
