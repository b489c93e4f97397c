#pragma once
// What the programs have in common that scripts in peers/ drive: they read lines and answer each
// with one.

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace mien::bench {

// Gives every line of stdin to answer(line), which returns the answer. The exit code of the
// program: an exception ends it.
template <class Answer>
int serve_lines(Answer&& answer) {
  for (std::string line; std::getline(std::cin, line);) {
    std::printf("%s\n", answer(line).c_str());
    std::fflush(stdout);
  }
  return 0;
}

// Runs serve() where there are as many arguments as wanted; errors and usage go to stderr.
template <class Serve>
int serve_with_arguments(int argc, char** argv, int wanted, const char* usage, Serve&& serve) {
  if (argc != wanted + 1) {
    std::fprintf(stderr, "usage: %s %s\n", argv[0], usage);
    return 2;
  }
  try {
    return serve();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

// Nine decimals.
inline std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9f", seconds);
  return text;
}

}  // namespace mien::bench
