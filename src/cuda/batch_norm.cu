#include <mien/cuda/batch_norm.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

void batch_norm_merge(Cuda device, const BatchNormStatistics& of, const BatchNormShares& from,
                      const BatchNormParams& p) {
  norm::check_rows(p);
  if (p.c == 0) return;
  with_width<pack_width<float>>(pack_aligned_rows(p.c, from.mean, from.squares), [&](auto width) {
    cuda::launch(batch_norm_merge_kernel<width>,
                 RowBlock::of<width, float>(p.c).shape(1, 1, device.stream), of, from, p);
  });
}

}  // namespace MIEN_CUDA_BUILD

#define MIEN_INSTANCES(T)                                                                          \
  template void batch_norm_statistics(Cuda, const BatchNormStatistics&, const BatchNormWorkspace&, \
                                      const T*, const BatchNormParams&);                           \
  template void batch_norm(Cuda, T*, const T*, const BatchNormChannels&, const BatchNormParams&);  \
  template void batch_norm_backward(Cuda, T*, float*, float*, const BatchNormWorkspace&, const T*, \
                                    const T*, const BatchNormChannels&, const BatchNormParams&);   \
  template void batch_norm_backward_frozen(Cuda, T*, float*, float*, const BatchNormWorkspace&,    \
                                           const T*, const T*, const BatchNormChannels&,           \
                                           const BatchNormParams&);

MIEN_INSTANCES(float)
MIEN_INSTANCES(f16)
MIEN_INSTANCES(bf16)

}  // namespace mien::kernels
