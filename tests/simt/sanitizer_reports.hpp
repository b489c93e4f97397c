#pragma once
// Tests of bugs that only a sanitizer sees: in its build the program must end with its report, in
// any other the test is skipped.

#include <gtest/gtest.h>

#include <simt/sanitizer.hpp>

namespace mien::test {

enum class Sanitizer { address, thread };

// The test with a bug of a kernel that `sanitizer` must report in words that match `pattern`.
template <class F>
void expect_report(Sanitizer sanitizer, const char* pattern, const F& run_kernel) {
  if (sanitizer == Sanitizer::address && !MIEN_ASAN)
    GTEST_SKIP() << "seen by AddressSanitizer and UndefinedBehaviorSanitizer alone";
  if (sanitizer == Sanitizer::thread && !MIEN_TSAN) GTEST_SKIP() << "seen by ThreadSanitizer alone";
  EXPECT_DEATH(run_kernel(), pattern);
}

}  // namespace mien::test
