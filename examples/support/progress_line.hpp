#pragma once
// A line on the terminal that says how far the work is and how long the rest will take; nothing is
// written where stderr is no terminal.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace mien::programs {

// Seconds as 59s, 3m20s, 2h05m.
inline std::string duration(double seconds) {
  const auto total = static_cast<long>(seconds + 0.5);
  char text[32];
  if (total < 60)
    std::snprintf(text, sizeof text, "%lds", total);
  else if (total < 3600)
    std::snprintf(text, sizeof text, "%ldm%02lds", total / 60, total % 60);
  else
    std::snprintf(text, sizeof text, "%ldh%02ldm", total / 3600, total / 60 % 60);
  return text;
}

class ProgressLine {
 public:
  ~ProgressLine() { clear(); }

  // `done` is the share of the whole work, 0 to 1.
  void show(double done, const std::string& what) {
    if (!enabled_) return;
    std::string rest;
    if (done > 0.01) rest = ", " + duration(elapsed() * (1 - done) / done) + " left";
    std::fprintf(stderr, "\r\033[K%3.0f%%%s  %s", 100 * done, rest.c_str(), what.c_str());
    std::fflush(stderr);
    shown_ = true;
  }

  // Makes room for an ordinary line.
  void clear() {
    if (shown_) std::fputs("\r\033[K", stderr);
    shown_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;

  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  bool enabled_ = isatty(STDERR_FILENO) == 1;
  bool shown_ = false;
  Clock::time_point start_ = Clock::now();
};

}  // namespace mien::programs
