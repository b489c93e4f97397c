// Matrix products, float, with b packed once as layers keep their weights.

#include <mien/cpu/gemm.hpp>

#include "kernels/ceiling.hpp"

namespace {

using mien::Cpu;
using mien::Shape;
using mien::Tensor;
using mien::bench::inputs;
using mien::bench::outputs;
using mien::kernels::GemmParams;
using mien::kernels::Packed;

GemmParams dense(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {.m = m, .n = n, .k = k, .a_row = k, .a_col = 1, .b_row = n, .b_col = 1, .c_row = n};
}

// Of the same columns, but few rows.
std::string check(const GemmParams& params) {
  const GemmParams p = dense(std::min<std::int64_t>(params.m, 33), params.n, params.k);
  const Tensor<float> a = inputs().next(Shape{p.m, p.k}), b = inputs().next(Shape{p.k, p.n});
  Tensor<float> c({p.m, p.n}), expected({p.m, p.n});
  mien::kernels::gemm(Cpu{}, c.mutable_data(), a.data(), b.data(), p);
  mien::kernels::gemm_reference(expected.mutable_data(), a.data(), b.data(), p);
  return mien::bench::mismatch(c, expected);
}

void gemm(benchmark::State& state, const GemmParams& p) {
  if (const auto wrong = check(p); !wrong.empty()) return state.SkipWithError(wrong.c_str());
  const std::int64_t packed = mien::kernels::packed_size<float>(p.k, p.n);
  const std::int64_t floats = p.m * p.k + p.k * p.n + p.m * p.n;
  mien::bench::measure(state, {.flops = 2 * p.m * p.n * p.k, .bytes = 4 * floats}, [&] {
    mien::kernels::gemm(Cpu{}, outputs().next(p.m * p.n), inputs().next(p.m * p.k),
                        Packed<float>{inputs().next(packed)}, p);
  });
}

const bool registered = [] {
  struct Named {
    const char* name;
    std::int64_t m, n, k;
  };
  for (const auto& [name, m, n, k] : {Named{"square", 256, 256, 256},
                                      {"square", 512, 512, 512},
                                      {"square", 1024, 1024, 1024},
                                      {"b0_classifier", 1, 1000, 1280},
                                      {"b0_classifier", 16, 1000, 1280},
                                      {"b0_head", 49, 1280, 320}})
    mien::bench::add_benchmark(mien::str("gemm/", name, '/', m, 'x', k, "->", n),
                               [p = dense(m, n, k)](benchmark::State& state) { gemm(state, p); });
  return true;
}();

}  // namespace
