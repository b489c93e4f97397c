// main() of every test program. Each is run once per instruction set (MIEN_ISA); a set that this
// machine lacks is a skipped run, told by an exit status of its own, and so is a run in which every
// test skips itself.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <gtest/gtest.h>
#include <mien/core/parallel.hpp>
#include <mien/cpu/isa.hpp>

namespace {

constexpr int skipped = 77;  // SKIP_RETURN_CODE in tests/CMakeLists.txt

bool machine_lacks(std::string_view name) {
  for (const mien::Isa isa : {mien::Isa::avx2, mien::Isa::avx512})
    if (to_string(isa) == name) return isa > mien::best_isa();
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  // Death tests start the program anew: after a fork, ThreadSanitizer ignores fibers that are made.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  testing::InitGoogleTest(&argc, argv);
  const char* wanted = std::getenv("MIEN_ISA");
  if (wanted != nullptr && machine_lacks(wanted)) {
    std::printf("skipped: MIEN_ISA=%s asked for, this machine has %s at most\n", wanted,
                to_string(mien::best_isa()).data());
    return skipped;
  }
  std::printf("instruction set %s, %d threads\n", to_string(mien::active_isa()).data(),
              mien::num_threads());
  const int status = RUN_ALL_TESTS();
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  const bool none_ran =
      tests.test_to_run_count() > 0 && tests.skipped_test_count() == tests.test_to_run_count();
  return status == 0 && none_ran ? skipped : status;
}
