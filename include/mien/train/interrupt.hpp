#pragma once
// Ctrl-C (SIGINT) and SIGTERM: the program is asked to stop and does so where nothing is half done.
// A second signal ends it at once.

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace mien::train {

// What long work throws once a signal has come.
struct Interrupted {
  int signal;
  int exit_code() const { return 128 + signal; }  // as shells count
};

namespace detail {

inline std::atomic<int> pending_signal = 0;
static_assert(std::atomic<int>::is_always_lock_free);  // or a handler may not touch it

}  // namespace detail

// A signal that the program was started to ignore (by nohup, or in a script's background) stays so.
inline void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = [](int caught) {
      detail::pending_signal = caught;
      for (const int each : {SIGINT, SIGTERM}) std::signal(each, SIG_DFL);
    };
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
}

// The signal that asks to stop; 0: none.
inline int pending_interrupt() { return detail::pending_signal; }

inline void throw_if_interrupted() {
  if (const int signal = pending_interrupt(); signal != 0) throw Interrupted{signal};
}

}  // namespace mien::train
