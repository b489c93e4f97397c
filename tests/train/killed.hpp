#pragma once
// Work in a process of its own that is killed before it ends, or not.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include <mien/core/error.hpp>

namespace mien::train {

// Runs `work` in a child process, which gets SIGKILL after so many seconds. False: it had ended
// before. Throws where it failed.
template <class Work>
bool killed_after(double seconds, Work&& work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  check(child >= 0, "killed_after", "no fork");
  if (child == 0) {
    try {
      work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
    _exit(0);
  }
  usleep(static_cast<useconds_t>(seconds * 1e6));
  kill(child, SIGKILL);
  int status = 0;
  check(waitpid(child, &status, 0) == child, "killed_after", "lost a child");
  check(WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "killed_after", "the work failed");
  return WIFSIGNALED(status);
}

}  // namespace mien::train
