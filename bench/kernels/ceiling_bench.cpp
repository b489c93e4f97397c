// The ceilings themselves: fused multiply-adds in registers on every instruction set of the
// machine, and copying memory. How far these stay below 100 % says how busy the machine is.

#include "kernels/ceiling.hpp"

namespace {

using mien::Isa;

void multiply_adds(benchmark::State& state, Isa isa) {
  const mien::IsaScope scope(isa);
  mien::set_num_threads(static_cast<int>(state.range(0)));
  mien::bench::measure(state, {.flops = mien::bench::run_multiply_adds()},
                       mien::bench::run_multiply_adds);
}

void copy(benchmark::State& state) {
  mien::bench::measure(state, {.bytes = mien::bench::run_copy()}, mien::bench::run_copy);
}

const bool registered = [] {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
    if (isa <= mien::best_isa())
      mien::bench::add_benchmark(mien::str("ceiling/multiply_add/", isa),
                                 [isa](benchmark::State& state) { multiply_adds(state, isa); });
  mien::bench::add_benchmark("ceiling/copy", copy);
  return true;
}();

}  // namespace
