#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <mien/cpu/isa.hpp>

#include "support/thrown.hpp"

namespace {

using mien::active_isa;
using mien::best_isa;
using mien::Isa;
using mien::IsaScope;
using mien::test::thrown;

TEST(Isa, HasNames) {
  EXPECT_EQ(to_string(Isa::scalar), "scalar");
  EXPECT_EQ(to_string(Isa::avx2), "avx2");
  EXPECT_EQ(to_string(Isa::avx512), "avx512");
}

// The flags that Linux reports take CPUID and the saved registers into account, as mien must.
TEST(Isa, DetectionAgreesWithTheKernel) {
  std::ifstream file("/proc/cpuinfo");
  std::string line, word;
  while (std::getline(file, line) && line.rfind("flags", 0) != 0) {
  }
  if (line.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no flags";
  std::string flags = " ";
  for (std::istringstream words(line); words >> word;) flags += word + ' ';
  const auto has = [&](const char* names) {
    for (std::istringstream words(names); words >> word;)
      if (flags.find(' ' + word + ' ') == std::string::npos) return false;
    return true;
  };
  const Isa expected = !has("avx2 fma f16c bmi1 bmi2")              ? Isa::scalar
                       : !has("avx512f avx512bw avx512dq avx512vl") ? Isa::avx2
                                                                    : Isa::avx512;
  EXPECT_EQ(best_isa(), expected);
}

TEST(Isa, ScopesNestAndRestore) {
  const Isa before = active_isa();
  {
    const IsaScope outer(Isa::scalar);
    EXPECT_EQ(active_isa(), Isa::scalar);
    {
      const IsaScope inner(best_isa());
      EXPECT_EQ(active_isa(), best_isa());
    }
    EXPECT_EQ(active_isa(), Isa::scalar);
  }
  EXPECT_EQ(active_isa(), before);
}

TEST(Isa, RefusesWhatTheMachineLacks) {
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa <= best_isa())
      EXPECT_NO_THROW(IsaScope{isa});
    else
      EXPECT_THROW(IsaScope{isa}, mien::Error);
  }
}

TEST(Isa, FollowsTheEnvironment) {
  const char* set = std::getenv("MIEN_ISA");
  const std::string before = set == nullptr ? "" : set;
  setenv("MIEN_ISA", "scalar", 1);
  EXPECT_EQ(mien::detail::initial_isa(), Isa::scalar);
  setenv("MIEN_ISA", "", 1);
  EXPECT_EQ(mien::detail::initial_isa(), best_isa());
  setenv("MIEN_ISA", "sse", 1);
  EXPECT_EQ(thrown([] { mien::detail::initial_isa(); }),
            "[isa] MIEN_ISA is 'sse', expected scalar, avx2 or avx512");
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    setenv("MIEN_ISA", std::string(to_string(isa)).c_str(), 1);
    if (isa <= best_isa())
      EXPECT_EQ(mien::detail::initial_isa(), isa);
    else
      EXPECT_EQ(thrown([] { mien::detail::initial_isa(); }),
                mien::str("[isa] MIEN_ISA=", isa, " asked for, this machine has ", best_isa()));
  }
  if (set == nullptr)
    unsetenv("MIEN_ISA");
  else
    setenv("MIEN_ISA", before.c_str(), 1);
}

TEST(IsaTable, PicksTheActiveEntry) {
  const mien::IsaTable<int> table{1, 2, 3};
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa()) continue;
    const IsaScope scope(isa);
    EXPECT_EQ(table.get(), static_cast<int>(isa) + 1);
  }
}

}  // namespace
