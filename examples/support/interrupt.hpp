#pragma once
// Ctrl-C: the program is asked to stop and does so where nothing is half done. A second Ctrl-C ends
// it at once.

#include <csignal>
#include <initializer_list>

namespace mien::programs {

// What long work throws once a signal has come.
struct Interrupted {
  int signal;
  int exit_code() const { return 128 + signal; }  // as shells count
};

namespace detail {
inline volatile std::sig_atomic_t pending_signal = 0;
}

inline void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { detail::pending_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

inline void throw_if_interrupted() {
  if (detail::pending_signal != 0) throw Interrupted{detail::pending_signal};
}

}  // namespace mien::programs
