#pragma once
// What this machine can do, measured in the process that is compared with it, and the loop that
// every benchmark runs: it reports a rate and its percentage of the ceiling.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>
#include <mien/cpu/simd.hpp>

#include "kernels/random_ring.hpp"

#define MIEN_KERNEL_FILE <kernels/ceiling.inl>
#include <mien/cpu/foreach_isa.inl>

namespace mien::bench {

inline double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// The best of 60 runs of a few milliseconds, as others may be using the machine. run() returns the
// amount that it has done.
template <class F>
double best_rate(F&& run) {
  double best = 0;
  for (int i = 0; i < 60; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t amount = run();
    best = std::max(best, static_cast<double>(amount) / seconds_since(begin));
  }
  return best;
}

// A few milliseconds of fused multiply-adds in the registers of every thread, on the active
// instruction set; returns the operations.
inline std::int64_t run_multiply_adds() {
  const auto chain = MIEN_ISA_PICK(chain_multiply_adds);
  std::atomic<std::int64_t> done{0};
  parallel_for(num_threads(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      float sums[256];
      done += chain(sums, 1 << 20);
      benchmark::DoNotOptimize(sums);
    }
  });
  return done;
}

// A copy from the whole of one ring to the whole of another, the memory that the benchmarks go
// through; returns the bytes read plus the bytes written.
inline std::int64_t run_copy() {
  const float* from = inputs().all();
  float* to = outputs().all();
  parallel_for(RandomRing::elements, 1 << 18, [&](std::int64_t begin, std::int64_t end) {
    std::copy(from + begin, from + end, to + begin);
  });
  benchmark::ClobberMemory();
  return 2 * RandomRing::bytes;
}

// Per second, measured when first asked for.
struct Ceilings {
  double flops, bytes;

  static Ceilings of(int threads, Isa isa) {
    static std::map<std::pair<int, Isa>, Ceilings> known;
    const auto found = known.find({threads, isa});
    if (found != known.end()) return found->second;
    set_num_threads(threads);
    const IsaScope scope(isa);
    return known[{threads, isa}] = {best_rate(run_multiply_adds), best_rate(run_copy)};
  }
};

// What one run needs: operations (a multiply-add is two), and bytes that it must read and write.
// What is 0 is not reported.
struct Cost {
  std::int64_t flops = 0, bytes = 0;
};

inline void per_thread_counts(benchmark::internal::Benchmark* bench) {
  bench->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond);
}

// Registers run(state), to be measured on one thread and on two.
template <class F>
void add_benchmark(const std::string& name, F&& run) {
  benchmark::RegisterBenchmark(name.c_str(), std::forward<F>(run))->Apply(per_thread_counts);
}

// Times run() on as many threads as the benchmark's argument says.
template <class F>
void measure(benchmark::State& state, const Cost& cost, F&& run) {
  const auto threads = static_cast<int>(state.range(0));
  const Ceilings most = Ceilings::of(threads, active_isa());
  set_num_threads(threads);
  run();  // threads start, memory is mapped
  const auto begin = std::chrono::steady_clock::now();
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const double runs_per_second = static_cast<double>(state.iterations()) / seconds_since(begin);
  const auto report = [&](std::int64_t amount, double ceiling, const char* rate,
                          const char* share) {
    if (amount == 0) return;
    const double achieved = static_cast<double>(amount) * runs_per_second;
    state.counters[rate] = achieved;
    state.counters[share] = 100 * achieved / ceiling;
  };
  report(cost.flops, most.flops, "flop/s", "%fma");
  report(cost.bytes, most.bytes, "byte/s", "%copy");
}

}  // namespace mien::bench
