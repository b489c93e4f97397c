#pragma once
// How many processors this process may use: its affinity mask, bounded by the CPU quota of its
// control group (Linux cgroups v2 and v1), as containers and service managers set it.

#include <sched.h>

#include <cstdio>
#include <string>

namespace mien::detail {

// The numbers at the beginning of a file, at most two; returns how many there are. "max 100000" has
// none.
inline int read_numbers(const std::string& path, double (&numbers)[2]) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return 0;
  const int count = std::fscanf(file, "%lf %lf", &numbers[0], &numbers[1]);
  std::fclose(file);
  return count < 0 ? 0 : count;
}

// The v2 control group named in a file such as /proc/self/cgroup by the line "0::/outer/inner".
inline std::string cgroup_path(const std::string& membership) {
  std::FILE* file = std::fopen(membership.c_str(), "re");
  if (file == nullptr) return {};
  char line[4096], path[4096] = "";
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::sscanf(line, "0::%4095[^\n]", path) == 1) break;
  std::fclose(file);
  return path;
}

// The quota in processors, rounded up: the smallest of the group's own and those of the groups
// around it; 0 where there is none.
inline int cgroup_quota(const std::string& mount = "/sys/fs/cgroup",
                        const std::string& membership = "/proc/self/cgroup") {
  double smallest = 0, numbers[2], period[2];
  const auto bound = [&](double quota, double of_period) {
    if (quota <= 0 || of_period <= 0) return;
    if (smallest == 0 || quota / of_period < smallest) smallest = quota / of_period;
  };
  for (std::string path = cgroup_path(membership);; path.resize(path.rfind('/'))) {
    if (read_numbers(mount + path + "/cpu.max", numbers) == 2) bound(numbers[0], numbers[1]);
    if (path.find('/') == std::string::npos) break;
  }
  const std::string v1 = mount + "/cpu/cpu.cfs_";
  if (read_numbers(v1 + "quota_us", numbers) >= 1 && read_numbers(v1 + "period_us", period) >= 1)
    bound(numbers[0], period[0]);
  const int whole = static_cast<int>(smallest < 1e6 ? smallest : 1e6);
  return whole < smallest ? whole + 1 : whole;
}

inline int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const int quota = cgroup_quota(); quota > 0 && quota < processors) processors = quota;
  return processors < 1 ? 1 : processors;
}

}  // namespace mien::detail
