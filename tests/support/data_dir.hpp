#pragma once
// Where tests find their files: real data through the environment variable MIEN_DATA, and the
// golden files that are committed under tests/golden.

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace mien::test {

// The folder that MIEN_DATA names; empty where it is not set. Tests that need it skip:
//   const auto dir = data_dir();
//   if (!dir) GTEST_SKIP() << "MIEN_DATA is not set";
inline std::optional<std::string> data_dir() {
  const char* dir = std::getenv("MIEN_DATA");
  if (dir == nullptr || *dir == '\0') return std::nullopt;
  return dir;
}

// The path of a file under tests/golden: golden_path("ops/conv2d.safetensors").
inline std::string golden_path(std::string_view name) {
  std::string_view here = __FILE__;
  here.remove_suffix(std::string_view("support/data_dir.hpp").size());
  return std::string(here).append("golden/").append(name);
}

}  // namespace mien::test
