#pragma once
// parallel_for on a pool of threads made for shared, noisy machines: idle workers spin briefly,
// then yield, then sleep; work is handed out in dynamic chunks; the caller never waits for a worker
// that has not begun. The chunk borders do not depend on the number of threads, so a body whose
// chunks are independent gives the same bits with any of them.

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <type_traits>
#include <vector>

#include <mien/config.hpp>
#include <mien/core/error.hpp>
#include <mien/core/mutex.hpp>

namespace mien {

namespace detail {

// A borrowed callable: two words, no allocation.
template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>) FunctionRef(F&& f)
      : object_(const_cast<void*>(static_cast<const void*>(&f))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, static_cast<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

inline void pause() {
#if MIEN_X86
  _mm_pause();
#endif
}

// CPU quota of the control group in whole processors, rounded up; 0 where there is none.
inline int cgroup_quota() {
  const auto read = [](const char* path, double& first, double& second) {
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) return 0;
    const int count = std::fscanf(file, "%lf %lf", &first, &second);  // "max 100000" reads nothing
    std::fclose(file);
    return count < 0 ? 0 : count;
  };
  double quota = 0, period = 0, unused = 0;
  const bool v2 = read("/sys/fs/cgroup/cpu.max", quota, period) == 2;
  const bool v1 = !v2 && read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota, unused) >= 1 &&
                  read("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, unused) >= 1;
  if (!(v1 || v2) || quota <= 0 || period <= 0) return 0;
  return static_cast<int>((quota + period - 1) / period);
}

// MIEN_NUM_THREADS, else the processors this process may use, bounded by the cgroup's quota.
inline int default_num_threads() {
  constexpr int limit = 1024;
  if (const char* text = std::getenv("MIEN_NUM_THREADS"); text != nullptr && *text != '\0') {
    char* end = nullptr;
    const long wanted = std::strtol(text, &end, 10);
    check(*end == '\0' && wanted >= 1 && wanted <= limit, "parallel", "MIEN_NUM_THREADS is '", text,
          "', expected 1 to ", limit);
    return static_cast<int>(wanted);
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  int threads = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const int quota = cgroup_quota(); quota > 0 && quota < threads) threads = quota;
  return threads < 1 ? 1 : threads;
}

class ThreadPool {
 public:
  using Body = FunctionRef<void(std::int64_t, std::int64_t)>;

  static ThreadPool& instance() {
    static ThreadPool pool;
    return pool;
  }

  int num_threads() const { return num_threads_; }

  void resize(int threads) {
    const MutexLock lock(owner_);
    stop_workers();
    num_threads_ = threads;
  }

  // Runs body(begin, end) over [0, n) in chunks. Nested and concurrent calls run on the caller.
  void run(std::int64_t n, std::int64_t chunk, Body body) {
    if (n <= chunk || num_threads_ == 1 || inside() || pthread_mutex_trylock(&owner_) != 0) {
      for (std::int64_t i = 0; i < n; i += chunk) body(i, n - i < chunk ? n : i + chunk);
      return;
    }
    if (workers_.empty()) start_workers();
    body_ = &body;
    n_ = n;
    chunk_ = chunk;
    next_.store(0, std::memory_order_relaxed);
    users_.fetch_and(~closed, std::memory_order_release);
    epoch_.fetch_add(1, std::memory_order_release);
    if (sleepers_.load() > 0) epoch_.notify_all();
    work();
    users_.fetch_or(closed, std::memory_order_acq_rel);
    for (int spins = 0; (users_.load(std::memory_order_acquire) & ~closed) != 0; ++spins)
      spins < 2000 ? pause() : static_cast<void>(sched_yield());
    const std::exception_ptr error = error_;
    error_ = nullptr;
    pthread_mutex_unlock(&owner_);
    if (error) std::rethrow_exception(error);
  }

 private:
  static constexpr std::uint32_t closed = 1u << 31;  // in users_: no worker may join the job

  ThreadPool() : num_threads_(default_num_threads()) {}
  ~ThreadPool() { stop_workers(); }

  static bool& inside() {
    static thread_local bool flag = false;
    return flag;
  }

  void start_workers() {
    stopping_.store(false);
    const auto entry = [](void* pool) -> void* {
      static_cast<ThreadPool*>(pool)->serve();
      return nullptr;
    };
    for (int i = 1; i < num_threads_; ++i) {
      pthread_t thread;
      if (pthread_create(&thread, nullptr, entry, this) != 0) break;  // fewer workers, same result
      workers_.push_back(thread);
    }
  }

  void stop_workers() {
    stopping_.store(true);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    for (const pthread_t thread : workers_) pthread_join(thread, nullptr);
    workers_.clear();
  }

  void serve() {
    std::uint32_t seen = epoch_.load(std::memory_order_acquire);
    while (!stopping_.load()) {
      if ((users_.fetch_add(1, std::memory_order_acq_rel) & closed) == 0) work();
      users_.fetch_sub(1, std::memory_order_acq_rel);
      seen = wait_for_job(seen);
    }
  }

  std::uint32_t wait_for_job(std::uint32_t seen) {
    for (int i = 0; i < 4000; ++i) {
      if (epoch_.load(std::memory_order_acquire) != seen) return epoch_.load();
      pause();
    }
    for (int i = 0; i < 8; ++i) {
      if (epoch_.load(std::memory_order_acquire) != seen) return epoch_.load();
      sched_yield();
    }
    sleepers_.fetch_add(1);
    epoch_.wait(seen);
    sleepers_.fetch_sub(1);
    return epoch_.load();
  }

  // Takes chunks until none is left. The first exception is kept and ends the job early.
  void work() {
    inside() = true;
    try {
      for (;;) {
        const std::int64_t begin = next_.fetch_add(chunk_, std::memory_order_relaxed);
        if (begin >= n_) break;
        (*body_)(begin, n_ - begin < chunk_ ? n_ : begin + chunk_);
      }
    } catch (...) {
      const MutexLock lock(error_mutex_);
      if (!error_) error_ = std::current_exception();
      next_.store(n_);
    }
    inside() = false;
  }

  pthread_mutex_t owner_ = PTHREAD_MUTEX_INITIALIZER;  // held while a job runs
  pthread_mutex_t error_mutex_ = PTHREAD_MUTEX_INITIALIZER;
  std::vector<pthread_t> workers_;
  int num_threads_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> epoch_{0};  // counts jobs; workers sleep on it
  std::atomic<std::uint32_t> sleepers_{0};
  std::atomic<std::uint32_t> users_{closed};
  std::atomic<std::int64_t> next_{0};
  const Body* body_ = nullptr;
  std::int64_t n_ = 0, chunk_ = 1;
  std::exception_ptr error_;
};

}  // namespace detail

// Threads that parallel_for uses, the caller included.
inline int num_threads() { return detail::ThreadPool::instance().num_threads(); }

// Sets the number of threads (at least 1). Overrides MIEN_NUM_THREADS, affinity and quota.
inline void set_num_threads(int threads) {
  check(threads >= 1, "parallel", "at least one thread, got ", threads);
  detail::ThreadPool::instance().resize(threads);
}

// Calls body(begin, end) for disjoint ranges that cover [0, n), on several threads. Ranges hold
// `chunk` items (the last one fewer) whatever the number of threads. An exception thrown by the
// body reaches the caller.
template <class F>
void parallel_for(std::int64_t n, std::int64_t chunk, F&& body) {
  if (n > 0) detail::ThreadPool::instance().run(n, chunk < 1 ? 1 : chunk, body);
}

}  // namespace mien
