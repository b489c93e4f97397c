// mien_cuda_bench: the CUDA kernels at the shapes of the networks, each checked against a reference
// in double, then timed from cold memory, beside cuDNN and in percent of what this GPU can do.
//
//   mien_cuda_bench [--quick] [--list] [--names] [Google Benchmark's options]
//
// --quick takes the short list. --list, and every run without a GPU, prints the shapes with their
// bytes, operations and the time that an H200 cannot beat; --names their names alone.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <regex>

#include "cuda/cudnn.hpp"
#include "cuda/measure.hpp"

namespace mien::bench {
namespace {

bool is_peer(const Case& c) { return c.name.ends_with("/cudnn"); }

void list(const std::vector<Case>& chosen) {
  const Ceilings& most = h200_ceilings;
  const auto tera = [&](Unit unit) { return 1e-12 * most.of(unit); };
  std::printf(
      "Predicted limits on an H200: the larger of bytes / %.1f TB/s (copy, measured on random "
      "data) "
      "and flops /\n%.0f TFLOP/s fp32 (data sheet), %.0f bf16 and f16 (measured products), %.0f "
      "tf32x3 (a sixth of those).\n\n",
      1e-12 * most.copy, tera(Unit::fp32), tera(Unit::bf16), tera(Unit::tf32x3));
  std::printf("%-72s %10s %10s %10s  %s\n", "kernel/shape/dtype/batch", "MB", "MFLOP", "us",
              "limit");
  for (const Case& c : chosen) {
    if (is_peer(c)) continue;
    const Limit at_least = limit(c.cost, h200_ceilings);
    std::printf("%-72s %10.3f %10.2f %10.3f  %s\n", c.name.c_str(), 1e-6 * c.cost.bytes,
                1e-6 * c.cost.flops, 1e6 * at_least.seconds, at_least.roof.c_str());
  }
}

// Empty where the kernel is right at the reduced shape.
std::string check(const Case& c) {
  if (!c.reduced) return {};
  Arrays arrays;
  const Work work = c.reduced(arrays);
  allocate(arrays, work, 1);
  work.launch(Cuda{}, 0);
  cuda::check_cuda(cudaDeviceSynchronize(), "a kernel");
  return work.verify();
}

void report(benchmark::State& state, const Cost& cost, const Timing& t) {
  const Limit at_least = limit(cost, ceilings());
  auto& counters = state.counters;
  counters["bytes"] = cost.bytes;
  counters["flops"] = cost.flops;
  counters["GB/s"] = 1e-9 * cost.bytes / t.median;
  counters["TFLOP/s"] = 1e-12 * cost.flops / t.median;
  counters["%ceiling"] = 100 * at_least.seconds / t.median;
  counters["q1_us"] = 1e6 * t.first_quartile;
  counters["q3_us"] = 1e6 * t.third_quartile;
  counters["samples"] = t.samples;
  counters["calls"] = t.calls;
  counters["sets"] = t.sets;
  state.SetLabel(str(at_least.roof, t.flushed ? ", flushed" : ""));
}

void run(benchmark::State& state, const Case& c, double seconds) {
  try {
    const std::string wrong = check(c);
    if (!wrong.empty()) return state.SkipWithError(wrong.c_str());
    Arrays arrays;
    const Work work = c.make(arrays);
    std::size_t available = 0, all = 0;
    cuda::check_cuda(cudaMemGetInfo(&available, &all), "free memory");
    const std::size_t fitting = available / 10 * 9 / std::max<std::size_t>(arrays.set_bytes(), 1);
    if (fitting == 0) return state.SkipWithError("does not fit into this GPU's memory");
    const int sets = sets_for(arrays.set_bytes());
    allocate(arrays, work,
             static_cast<int>(std::min<std::size_t>(fitting, static_cast<std::size_t>(sets))));
    const Timing t = time_cold(work, arrays, seconds);
    if (arrays.left_unwritten()) return state.SkipWithError("left elements of an output unwritten");
    for (auto _ : state) state.SetIterationTime(t.median);
    report(state, c.cost, t);
  } catch (const std::exception& error) {
    state.SkipWithError(error.what());
  }
}

// The ceilings and the cost of a launch as rows of their own.
void add_machine_rows() {
  const auto add = [](const std::string& name, auto&& value) {
    benchmark::RegisterBenchmark(name.c_str(), [value](benchmark::State& state) { value(state); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  };
  add("ceiling/copy", [](benchmark::State& state) {
    for (auto _ : state) state.SetIterationTime(1e9 / ceilings().copy);  // a gigabyte
    state.counters["GB/s"] = 1e-9 * ceilings().copy;
  });
  for (const Unit unit : {Unit::fp32, Unit::tf32x3, Unit::f16, Unit::bf16})
    add(str("ceiling/product/", to_string(unit)), [unit](benchmark::State& state) {
      for (auto _ : state) state.SetIterationTime(1e12 / ceilings().of(unit));
      state.counters["TFLOP/s"] = 1e-12 * ceilings().of(unit);
      state.SetLabel(ceilings_are_measured() ? "measured" : "data sheet of an H200");
    });
  add("launch/stream", [](benchmark::State& state) {
    for (auto _ : state) state.SetIterationTime(stream_launch_seconds());
  });
}

// Google Benchmark puts how it counts behind the names; here every row is one median.
std::vector<benchmark::BenchmarkReporter::Run> plainly_named(
    std::vector<benchmark::BenchmarkReporter::Run> runs) {
  for (auto& run : runs) run.run_name.iterations = run.run_name.time_type = "";
  return runs;
}
class Table : public benchmark::ConsoleReporter {
 public:
  Table() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(plainly_named(runs));
  }
};
class Json : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    JSONReporter::ReportRuns(plainly_named(runs));
  }
};

struct Options {
  bool quick = false, list = false, names = false, out = false;

  // Takes its own options out of the arguments.
  Options(int& argc, char** argv) {
    int kept = 1;
    for (int i = 1; i < argc; ++i) {
      const std::string_view option = argv[i];
      if (option == "--quick")
        quick = true;
      else if (option == "--list")
        list = true;
      else if (option == "--names")
        names = true;
      else
        argv[kept++] = argv[i];
      out = out || option.starts_with("--benchmark_out=");
    }
    argc = kept;
  }
};

// Those whose names match Google Benchmark's filter; with a minus ahead of it, the others.
std::vector<Case> choose(bool quick, std::string filter) {
  const bool unwanted = filter.starts_with('-');
  if (unwanted) filter.erase(0, 1);
  if (filter == "all") filter = "";
  const std::regex pattern(filter);
  std::vector<Case> chosen;
  for (const Case& c : cases())
    if ((!quick || c.quick) && std::regex_search(c.name, pattern) != unwanted) chosen.push_back(c);
  return chosen;
}

int measure(const std::vector<Case>& chosen, const Options& options) {
  for (const auto& [key, value] : machine_facts()) benchmark::AddCustomContext(key, value);
  benchmark::AddCustomContext("cudnn", cudnn::version());
  benchmark::AddCustomContext("list", options.quick ? "quick" : "full");
  if (cudnn::version().empty()) std::printf("Built without cuDNN: its rows are left out.\n");
  if (!ceilings_are_measured()) std::printf("Built without cuBLAS: products are not measured.\n");
  add_machine_rows();
  const double seconds = options.quick ? 0.04 : 0.12;
  for (const Case& c : chosen)
    benchmark::RegisterBenchmark(c.name.c_str(),
                                 [&c, seconds](benchmark::State& state) { run(state, c, seconds); })
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  Table table;
  Json json;
  benchmark::RunSpecifiedBenchmarks(&table, options.out ? &json : nullptr, ".");
  return 0;
}

int main(int argc, char** argv) {
  const Options options(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const auto chosen = choose(options.quick, benchmark::GetBenchmarkFilter());
  const std::string no_gpu = why_no_gpu();
  if (options.names) {
    for (const Case& c : chosen)
      if (!is_peer(c)) std::printf("%s\n", c.name.c_str());
  } else if (options.list || !no_gpu.empty()) {
    if (!no_gpu.empty()) std::printf("Nothing is measured here: %s.\n", no_gpu.c_str());
    list(chosen);
  } else {
    return measure(chosen, options);
  }
  return 0;
}

}  // namespace
}  // namespace mien::bench

int main(int argc, char** argv) { return mien::bench::main(argc, argv); }
