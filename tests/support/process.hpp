#pragma once
// Runs programs as a user does, and tells what they did.

#include <fcntl.h>
#include <signal.h>
#include <sys/poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::test {

struct ProcessOptions {
  std::string folder = {};                                            // to run in; empty: this one
  std::vector<std::pair<std::string, std::string>> environment = {};  // set beside the test's own
  rlim_t address_space = RLIM_INFINITY;                               // bytes
  // Called with everything written to stdout so far, every millisecond; true: send the signal.
  std::function<bool(const std::string&)> interrupt_when = {};
  int signal = SIGINT;
};

struct ProcessResult {
  int exit_code = -1;  // negative: ended by that signal
  std::string out, err;
  double peak_memory_mb = 0;

  int error_lines() const {
    int lines = 0;
    for (const char c : err) lines += c == '\n';
    return lines;
  }
};

namespace detail {

inline std::string read_all(std::FILE* file) {
  std::string text;
  std::rewind(file);
  for (int c = 0; (c = std::fgetc(file)) != EOF;) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

// What the child does between fork and exec; never returns.
[[noreturn]] inline void become(const std::vector<std::string>& command,
                                const ProcessOptions& options, int out, int err) {
  if (!options.folder.empty() && chdir(options.folder.c_str()) != 0) _exit(126);
  for (const auto& [name, value] : options.environment) setenv(name.c_str(), value.c_str(), 1);
  const rlimit limit{options.address_space, options.address_space};
  if (options.address_space != RLIM_INFINITY && setrlimit(RLIMIT_AS, &limit) != 0) _exit(126);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace detail

// Runs `command` (its first word is the program's path) to its end.
inline ProcessResult run_process(const std::vector<std::string>& command,
                                 const ProcessOptions& options = {}) {
  int pipe_ends[2];
  std::FILE* err = std::tmpfile();
  check(err != nullptr && pipe2(pipe_ends, O_CLOEXEC) == 0, "process", "no pipe");
  const pid_t child = fork();
  check(child >= 0, "process", "no fork");
  if (child == 0) detail::become(command, options, pipe_ends[1], fileno(err));
  close(pipe_ends[1]);

  ProcessResult result;
  char buffer[4096];
  for (bool watched = static_cast<bool>(options.interrupt_when);;) {
    if (watched && options.interrupt_when(result.out)) {
      kill(child, options.signal);
      watched = false;
    }
    pollfd readable{pipe_ends[0], POLLIN, 0};
    if (poll(&readable, 1, watched ? 1 : -1) == 0) continue;
    const ssize_t count = read(pipe_ends[0], buffer, sizeof buffer);
    if (count <= 0) break;
    result.out.append(buffer, static_cast<std::size_t>(count));
  }
  close(pipe_ends[0]);
  int status = 0;
  rusage usage{};
  check(wait4(child, &status, 0, &usage) == child, "process", "lost a child");
  result.peak_memory_mb = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  result.err = detail::read_all(err);
  return result;
}

}  // namespace mien::test
