#include <mien/cuda/resize_pillow.cuh>

namespace mien::kernels {
inline namespace MIEN_CUDA_BUILD {

void resize_pillow(Cuda device, std::uint8_t* out, const std::uint8_t* in, const ResizeAxis& across,
                   const ResizeAxis& down, const ResizePillowParams& p) {
  if (std::int64_t{p.n} * p.c * p.out_h * p.out_w == 0) return;
  check(p.h >= 1 && p.w >= 1, "resize_pillow", "expected images of one pixel or more, got ", p.w,
        " x ", p.h);
  constexpr std::int64_t most = 1 << 30;
  check(std::int64_t{p.h} * p.w * p.c <= most && std::int64_t{p.out_w} * p.c <= most,
        "resize_pillow", "expected images of up to 2^30 bytes, got ", p.w, " x ", p.h,
        " pixels of ", p.c);
  constexpr int of_thread = 4;
  cuda::launch(resize_pillow_kernel<of_thread>,
               {.grid = {ceil_div(std::int64_t{p.out_w} * p.c, pillow::columns),
                         ceil_div(p.out_h, pillow::strips * of_thread), static_cast<unsigned>(p.n)},
                .block = {pillow::columns, pillow::strips},
                .stream = device.stream},
               out, in, across, down, p);
}

}  // namespace MIEN_CUDA_BUILD
}  // namespace mien::kernels
