#pragma once
// parallel_for on a pool of threads made for shared, noisy machines: idle workers spin briefly,
// then yield, then sleep; work is handed out in dynamic chunks; the caller never waits for a worker
// that has not begun. The chunk borders do not depend on the number of threads, so a body whose
// chunks are independent gives the same bits with any of them.

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <type_traits>
#include <utility>
#include <vector>

#include <mien/config.hpp>
#include <mien/core/error.hpp>
#include <mien/core/mutex.hpp>
#include <mien/core/processors.hpp>

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
  __builtin_ia32_pause();
#endif
}

// MIEN_NUM_THREADS, else as many as there are processors for this process.
inline int default_num_threads(int limit) {
  const char* text = std::getenv("MIEN_NUM_THREADS");
  if (text == nullptr || *text == '\0') {
    const int processors = available_processors();
    return processors < limit ? processors : limit;
  }
  char* end = nullptr;
  const long wanted = std::strtol(text, &end, 10);
  check(*end == '\0' && wanted >= 1 && wanted <= limit, "parallel", "MIEN_NUM_THREADS is '", text,
        "', expected 1 to ", limit);
  return static_cast<int>(wanted);
}

class ThreadPool {
 public:
  // True on a thread that must not share its work: one of the pool's, or in a SerialScope.
  static bool& inside() {
    static thread_local bool flag = false;
    return flag;
  }

  using Body = FunctionRef<void(std::int64_t, std::int64_t)>;

  static constexpr int max_threads = 1024;

  static ThreadPool& instance() {
    static auto* pool = new ThreadPool;  // never destroyed: static objects may still need it
    return *pool;
  }

  int num_threads() const { return num_threads_.load(std::memory_order_relaxed); }

  void resize(int threads) {
    check(threads >= 1 && threads <= max_threads, "parallel", "expected 1 to ", max_threads,
          " threads, got ", threads);
    check(!inside(), "parallel", "the number of threads cannot change inside parallel_for");
    const MutexLock lock(owner_);
    stop_workers();
    num_threads_.store(threads, std::memory_order_relaxed);
  }

  // Runs body(begin, end) over [0, n) in chunks. Nested and concurrent calls run on the caller.
  void run(std::int64_t n, std::int64_t chunk, Body body) {
    if (n <= chunk || num_threads() == 1 || inside() || pthread_mutex_trylock(&owner_) != 0) {
      for (std::int64_t i = 0; i < n; i += chunk) body(i, n - i < chunk ? n : i + chunk);
      return;
    }
    const MutexLock lock(owner_, AlreadyLocked{});
    if (workers_.empty()) start_workers();
    body_ = &body;
    n_ = n;
    chunk_ = chunk;
    next_.store(0, std::memory_order_relaxed);
    users_.fetch_and(~closed, std::memory_order_release);
    epoch_.fetch_add(1);
    epoch_.notify_all();
    work();
    users_.fetch_or(closed, std::memory_order_acq_rel);
    await_workers();
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  static constexpr std::uint32_t closed = 1u << 31;  // in users_: no worker may join the job

  ThreadPool() : num_threads_(default_num_threads(max_threads)) {}

  void start_workers() {
    stopping_.store(false);
    workers_.reserve(static_cast<std::size_t>(num_threads()));
    const auto entry = [](void* pool) -> void* {
      static_cast<ThreadPool*>(pool)->serve();
      return nullptr;
    };
    for (int i = 1; i < num_threads(); ++i) {
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

  // Until every worker that joined the job has left it.
  void await_workers() const {
    int spins = 0;
    while ((users_.load(std::memory_order_acquire) & ~closed) != 0) {
      if (spins == 2000) {
        sched_yield();
      } else {
        pause();
        ++spins;
      }
    }
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
    epoch_.wait(seen);
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
  std::atomic<int> num_threads_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint32_t> epoch_{0};       // counts jobs; workers sleep on it
  std::atomic<std::uint32_t> users_{closed};  // workers at the job, and whether more may join
  std::atomic<std::int64_t> next_{0};
  const Body* body_ = nullptr;
  std::int64_t n_ = 0, chunk_ = 1;
  std::exception_ptr error_;
};

}  // namespace detail

// Threads that parallel_for uses, the caller included.
inline int num_threads() { return detail::ThreadPool::instance().num_threads(); }

// Sets the number of threads, 1 to 1024. Overrides MIEN_NUM_THREADS, affinity and quota. Waits for
// a job that another thread runs; not to be called inside parallel_for.
inline void set_num_threads(int threads) { detail::ThreadPool::instance().resize(threads); }

// Within its scope, parallel_for of this thread runs on this thread alone: for threads that work
// beside the pool, such as those that load data.
class SerialScope {
 public:
  SerialScope() : previous_(std::exchange(detail::ThreadPool::inside(), true)) {}
  ~SerialScope() { detail::ThreadPool::inside() = previous_; }
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  bool previous_;
};

// Calls body(begin, end) for disjoint ranges that cover [0, n), on several threads. Ranges hold
// `chunk` items (the last one fewer) whatever the number of threads. An exception thrown by the
// body reaches the caller.
template <class F>
void parallel_for(std::int64_t n, std::int64_t chunk, F&& body) {
  if (n > 0) detail::ThreadPool::instance().run(n, chunk < 1 ? 1 : chunk, body);
}

}  // namespace mien
