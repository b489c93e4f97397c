#pragma once
// How benchmarks are timed on a GPU, and what that GPU can do at most.

#include <string>
#include <utility>
#include <vector>

#include "cuda/cases.hpp"

namespace mien::bench {

// Empty where there is a GPU, else why there is none.
std::string why_no_gpu();

// Name, memory, versions: what a result must say beside its numbers.
std::vector<std::pair<std::string, std::string>> machine_facts();

// Copy and matrix products of this GPU on random data, measured when first asked for. Products that
// cannot be measured, for want of cuBLAS at build time, are the data sheet's.
const Ceilings& ceilings();
bool ceilings_are_measured();

// Seconds of one call.
struct Timing {
  double median, first_quartile, third_quartile;
  int samples;   // each the mean over `calls` calls
  int calls;     // in one graph
  int sets;      // of arrays, taken in turn
  bool flushed;  // the L2 cache before every sample, because the sets together are too small
};

// How many sets of arrays make an input leave L2 before it is read again, within reason.
int sets_for(std::size_t set_bytes);

// Times launches from cold memory: a CUDA graph holds calls on one set of the arrays after the
// other, 0.2 ms or more of them where they are short, and events stand around its replay. So gaps
// between kernels count (about a microsecond), the host's part of a launch does not. `seconds` is
// about what it may take.
Timing time_cold(const Work& work, const Arrays& arrays, double seconds);

// Seconds from one launch of an empty kernel to the next: from a stream, as the host issues them.
double stream_launch_seconds();

}  // namespace mien::bench
