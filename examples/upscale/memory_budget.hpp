#pragma once
// How much memory the program may take.

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace mien::programs {

// Bytes that this process holds now.
inline std::int64_t resident_memory() {
  std::int64_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// The most bytes that this process ever held.
inline std::int64_t peak_memory() {
  long long kilobytes = 0;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (std::sscanf(line.c_str(), "VmHWM: %lld", &kilobytes) == 1) break;
  return kilobytes * 1024;
}

// Bytes that can still be had: of the machine, and within the limit of a container.
inline std::int64_t available_memory() {
  std::int64_t available = 0;
  std::ifstream meminfo("/proc/meminfo");
  for (std::string line; std::getline(meminfo, line);)
    if (long long kilobytes = 0; std::sscanf(line.c_str(), "MemAvailable: %lld", &kilobytes) == 1)
      available = kilobytes * 1024;
  const auto number_in = [](const char* path) {
    std::int64_t value = 0;  // also where there is no such file, or no number in it
    std::ifstream(path) >> value;
    return value;
  };
  const auto bound = [&](const char* limit_file, const char* used_file) {
    const std::int64_t limit = number_in(limit_file), used = number_in(used_file);
    if (limit > 0) available = std::min(available, std::max<std::int64_t>(limit - used, 0));
  };
  bound("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current");
  bound("/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes");
  return available;
}

}  // namespace mien::programs
