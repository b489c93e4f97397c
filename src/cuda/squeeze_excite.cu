#include <mien/cuda/squeeze_excite.cuh>

namespace mien::kernels {

#define MIEN_INSTANCES(T)                                                                          \
  template void squeeze_excite_sums(Cuda, float*, const T*, const SqueezeExciteParams&);           \
  template void squeeze_excite_gates(Cuda, float*, const SqueezeExciteKept&, const float*, int,    \
                                     const SqueezeExciteWeights<T>&, const SqueezeExciteParams&);  \
  template void squeeze_excite_scale(Cuda, T*, const T*, const float*,                             \
                                     const SqueezeExciteParams&);                                  \
  template void squeeze_excite_dots(Cuda, float*, const T*, const T*, const SqueezeExciteParams&); \
  template void squeeze_excite_gates_backward(                                                     \
      Cuda, float*, const SqueezeExciteGradients&, const SqueezeExciteWorkspace&, const float*,    \
      int, const float*, const SqueezeExciteKept&, const SqueezeExciteWeights<T>&,                 \
      const SqueezeExciteParams&);                                                                 \
  template void squeeze_excite_scale_backward(Cuda, T*, const T*, const float*, const float*,      \
                                              const SqueezeExciteParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
