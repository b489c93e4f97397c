#include <mien/cuda/mbconv.cuh>

namespace mien::kernels {

// What mbconv() launches beside its own kernels stands in other files.
#define MIEN_INSTANCES(T)                                                                         \
  extern template void pointwise_conv(Cuda, T*, const T*, const T*, const PointwiseConvParams&,   \
                                      const PointwiseConvEpilogue<T>&);                           \
  extern template void depthwise_conv(Cuda, T*, const T*, const T*, int, int,                     \
                                      const DepthwiseConvParams&, const DepthwiseConvEpilogue&);  \
  extern template void squeeze_excite_gates(Cuda, float*, const SqueezeExciteKept&, const float*, \
                                            int, const SqueezeExciteWeights<T>&,                  \
                                            const SqueezeExciteParams&);                          \
  template MbconvPlan mbconv_plan<T>(const MbconvParams&, MbconvWay);                             \
  template MbconvPlan mbconv_plan<T>(const MbconvParams&);                                        \
  template std::size_t mbconv_workspace<T>(const MbconvParams&, const MbconvPlan&);               \
  template void mbconv(Cuda, T*, void*, const T*, const MbconvWeights<T>&, const MbconvParams&,   \
                       const MbconvPlan&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
