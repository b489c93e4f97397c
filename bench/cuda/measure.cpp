#include "cuda/measure.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>

#include <mien/cuda/sam.hpp>
#include <mien/cuda/swish.hpp>

#include "cuda/gemm_ceiling.hpp"

namespace mien::bench {
namespace {

using cuda::check_cuda;

class Event {
 public:
  Event() { check_cuda(cudaEventCreate(&event_), "cudaEventCreate"); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event_); }
  void record(cuda::Stream stream) { check_cuda(cudaEventRecord(event_, stream), "an event"); }
  double seconds_since(const Event& earlier) const {
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, earlier.event_, event_), "events");
    return 1e-3 * double{ms};
  }

 private:
  cudaEvent_t event_ = nullptr;
};

cuda::Stream stream() {
  static const cuda::Stream made = [] {
    cudaStream_t s = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), "cudaStreamCreate");
    return s;
  }();
  return made;
}

void wait() { check_cuda(cudaStreamSynchronize(stream()), "a kernel"); }

std::size_t l2_bytes() {
  static const int bytes = [] {
    int size = 0;
    check_cuda(cudaDeviceGetAttribute(&size, cudaDevAttrL2CacheSize, 0), "the size of L2");
    return size;
  }();
  return static_cast<std::size_t>(bytes);
}

// Reads four times L2 and writes next to nothing, so that no dirty lines are left for the kernel
// that is timed.
void flush_l2() {
  struct Flush {
    Arrays arrays;
    Array<float> numbers, norm, partial;
    Array<unsigned> counter;
    Flush()
        : numbers(arrays.input<float>(static_cast<std::int64_t>(l2_bytes()))),
          norm(arrays.output<float>(1)),
          partial(arrays.workspace<float>(kernels::sam_most_blocks)),
          counter(arrays.zeros<unsigned>(1)) {
      arrays.allocate(1);
    }
  };
  static const Flush f;
  kernels::sam_norm(Cuda{stream()}, f.norm.at(0), {f.partial.at(0), f.counter.at(0)},
                    f.numbers.at(0), nullptr, f.numbers.size());
}

// Calls captured once and replayed.
class Graph {
 public:
  template <class F>
  explicit Graph(const F& record) {
    check_cuda(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal), "a capture");
    cudaGraph_t graph = nullptr;
    try {
      record();
    } catch (...) {
      cudaStreamEndCapture(stream(), &graph);
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream(), &graph), "a capture's end");
    const cudaError_t status = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    check_cuda(status, "a graph");
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { cudaGraphExecDestroy(executable_); }
  void launch() const { check_cuda(cudaGraphLaunch(executable_, stream()), "a graph"); }

 private:
  cudaGraphExec_t executable_ = nullptr;
};

// Seconds of f, `samples` times; before() goes ahead of each and is not counted.
template <class B, class F>
std::vector<double> time_samples(int samples, const B& before, const F& f) {
  std::vector<Event> events(static_cast<std::size_t>(2 * samples));
  for (std::size_t i = 0; i < events.size(); i += 2) {
    before();
    events[i].record(stream());
    f();
    events[i + 1].record(stream());
  }
  wait();
  std::vector<double> seconds;
  for (std::size_t i = 0; i < events.size(); i += 2)
    seconds.push_back(events[i + 1].seconds_since(events[i]));
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

template <class F>
double median_seconds(int samples, const F& f) {
  f();
  return time_samples(
      samples, [] {}, f)[static_cast<std::size_t>(samples / 2)];
}

double copy_rate() {
  constexpr std::int64_t n = std::int64_t{1} << 28;
  Arrays arrays;
  const auto from = arrays.input<float>(n), to = arrays.output<float>(n);
  arrays.allocate(1);
  const double seconds = median_seconds(15, [&] {
    check_cuda(cudaMemcpyAsync(to.at(0), from.at(0), 4 * n, cudaMemcpyDeviceToDevice, stream()),
               "copy");
  });
  return 2 * 4 * static_cast<double>(n) / seconds;
}

// n x n x n, on random numbers.
template <class T>
double product_rate(int n, Unit unit) {
  Arrays arrays;
  const std::int64_t size = std::int64_t{n} * n;
  const auto a = arrays.input<T>(size), b = arrays.input<T>(size), c = arrays.output<T>(size);
  arrays.allocate(1);
  const double seconds =
      median_seconds(9, [&] { gemm(stream(), c.at(0), a.at(0), b.at(0), n, unit); });
  return 2.0 * n * n * n / seconds;
}

}  // namespace

std::string why_no_gpu() {
  int devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&devices);
  if (status != cudaSuccess) return cudaGetErrorString(status);
  return devices > 0 ? "" : "no GPU";
}

std::vector<std::pair<std::string, std::string>> machine_facts() {
  cudaDeviceProp device{};
  check_cuda(cudaGetDeviceProperties(&device, 0), "the device's properties");
  int runtime = 0, driver = 0;
  check_cuda(cudaRuntimeGetVersion(&runtime), "the runtime's version");
  check_cuda(cudaDriverGetVersion(&driver), "the driver's version");
  const auto version = [](int v) { return str(v / 1000, '.', v % 1000 / 10); };
  return {{"gpu", device.name},
          {"gpu_memory_bytes", str(device.totalGlobalMem)},
          {"l2_bytes", str(device.l2CacheSize)},
          {"multiprocessors", str(device.multiProcessorCount)},
          {"compute_capability", str(device.major, '.', device.minor)},
          {"cuda_runtime", version(runtime)},
          {"cuda_driver", version(driver)}};
}

bool ceilings_are_measured() { return can_multiply(); }

const Ceilings& ceilings() {
  static const Ceilings measured = [] {
    Ceilings all = h200_ceilings;
    all.copy = copy_rate();
    if (!can_multiply()) return all;
    product_rate<bf16>(4096, Unit::bf16);  // clocks rise
    all.of(Unit::fp32) = product_rate<float>(4096, Unit::fp32);
    all.of(Unit::tf32x3) = product_rate<float>(8192, Unit::tf32x3) / 3;
    all.of(Unit::f16) = product_rate<f16>(8192, Unit::f16);
    all.of(Unit::bf16) = product_rate<bf16>(8192, Unit::bf16);
    return all;
  }();
  return measured;
}

int sets_for(std::size_t set_bytes) {
  const std::size_t bytes = std::max<std::size_t>(set_bytes, 1);
  const std::size_t wanted = (4 * l2_bytes() + bytes - 1) / bytes;
  return static_cast<int>(std::clamp<std::size_t>(wanted, 1, 64));
}

Timing time_cold(const Work& work, const Arrays& arrays, double seconds) {
  const Cuda device{stream()};
  const int sets = arrays.sets();
  Timing t{};
  t.sets = sets;
  t.flushed = static_cast<std::size_t>(sets) * arrays.set_bytes() < 4 * l2_bytes();
  work.launch(device, 0);  // modules load
  wait();
  const double estimate = time_samples(
      3, [] {}, [&] { work.launch(device, 0); })[1];
  const double wanted = 2e-4 / std::max(estimate, 1e-7);
  const int rounds = std::clamp(static_cast<int>(std::ceil(wanted / sets)), 1, 512 / sets);
  t.calls = rounds * sets;
  const Graph graph([&] {
    for (int i = 0; i < t.calls; ++i) work.launch(device, i % sets);
  });
  graph.launch();
  wait();
  const double sample = std::max(estimate * t.calls, 1e-5) + (t.flushed ? 1e-4 : 0);
  t.samples = static_cast<int>(std::clamp(seconds / sample, 7.0, 201.0)) | 1;
  const auto times = time_samples(
      t.samples,
      [&] {
        if (t.flushed) flush_l2();
      },
      [&] { graph.launch(); });
  const auto of_one = [&](std::size_t i) { return times[i] / t.calls; };
  t.median = of_one(times.size() / 2);
  t.first_quartile = of_one(times.size() / 4);
  t.third_quartile = of_one(times.size() - 1 - times.size() / 4);
  return t;
}

double stream_launch_seconds() {
  constexpr int launches = 1000;
  Arrays arrays;
  const auto x = arrays.input<float>(1), y = arrays.output<float>(1);
  arrays.allocate(1);
  return median_seconds(7,
                        [&] {
                          for (int i = 0; i < launches; ++i)
                            kernels::swish(Cuda{stream()}, y.at(0), x.at(0), {.n = 1});
                        }) /
         launches;
}

}  // namespace mien::bench
