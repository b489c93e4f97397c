#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include <mien/core/parallel.hpp>

#include "support/thrown.hpp"

namespace {

using mien::parallel_for;
using mien::set_num_threads;

class Parallel : public testing::Test {
 protected:
  void TearDown() override { set_num_threads(threads_); }

 private:
  int threads_ = mien::num_threads();
};

// Which items a loop visited, and how often.
std::vector<int> visits(std::int64_t n, std::int64_t chunk) {
  std::vector<int> count(static_cast<std::size_t>(n), 0);
  parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) ++count[static_cast<std::size_t>(i)];
  });
  return count;
}

TEST_F(Parallel, VisitsEveryItemOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(mien::num_threads(), threads);
    for (const std::int64_t n : {0, 1, 2, 7, 64, 1000, 4097})
      for (const std::int64_t chunk : {0, 1, 3, 64, 5000})
        EXPECT_EQ(visits(n, chunk), std::vector<int>(static_cast<std::size_t>(n), 1));
  }
  parallel_for(-5, 1, [](std::int64_t, std::int64_t) { FAIL() << "nothing to do"; });
}

TEST_F(Parallel, ChunksDoNotDependOnTheNumberOfThreads) {
  const auto chunks = [](std::int64_t n, std::int64_t chunk) {
    std::vector<std::atomic<std::int64_t>> end_of(static_cast<std::size_t>(n));
    parallel_for(n, chunk, [&](std::int64_t begin, std::int64_t end) {
      end_of[static_cast<std::size_t>(begin)] = end;
    });
    return std::vector<std::int64_t>(end_of.begin(), end_of.end());
  };
  set_num_threads(1);
  const auto alone = chunks(1000, 7);
  EXPECT_EQ(alone[7], 14);
  EXPECT_EQ(alone[994], 1000);
  for (const int threads : {2, 5}) {
    set_num_threads(threads);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(chunks(1000, 7), alone);
  }
}

TEST_F(Parallel, UsesSeveralThreads) {
  set_num_threads(3);
  std::atomic<int> arrived{0};
  // Each chunk waits for the others: with fewer than three threads this would never end.
  parallel_for(3, 1, [&](std::int64_t, std::int64_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 3);
}

TEST_F(Parallel, NestedLoopsRunOnTheirThread) {
  set_num_threads(4);
  std::atomic<std::int64_t> sum{0};
  parallel_for(50, 1, [&](std::int64_t begin, std::int64_t) {
    const auto outer = std::this_thread::get_id();
    parallel_for(100, 3, [&](std::int64_t b, std::int64_t e) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      for (std::int64_t i = b; i < e; ++i) sum += begin * i;
    });
  });
  EXPECT_EQ(sum, (49 * 50 / 2) * (99 * 100 / 2));
}

TEST_F(Parallel, ASerialScopeKeepsTheWorkOnItsThread) {
  set_num_threads(4);
  const auto here = std::this_thread::get_id();
  std::atomic<int> elsewhere = 0;
  {
    const mien::SerialScope serial;
    for (int repeat = 0; repeat < 100; ++repeat)
      parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
        if (std::this_thread::get_id() != here) ++elsewhere;
      });
    EXPECT_EQ(elsewhere, 0);
    EXPECT_EQ(visits(100, 7), std::vector<int>(100, 1));
  }
  for (int repeat = 0; elsewhere == 0 && repeat < 100000; ++repeat)
    parallel_for(64, 1, [&](std::int64_t, std::int64_t) {
      if (std::this_thread::get_id() != here) ++elsewhere;
    });
  EXPECT_GT(elsewhere, 0);
}

TEST_F(Parallel, ExceptionsReachTheCaller) {
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    for (int repeat = 0; repeat < 50; ++repeat) {
      EXPECT_THROW(parallel_for(100, 1,
                                [&](std::int64_t begin, std::int64_t) {
                                  if (begin % 10 == repeat % 10) throw std::out_of_range("chunk");
                                }),
                   std::out_of_range);
      EXPECT_EQ(visits(100, 7), std::vector<int>(100, 1));  // the pool goes on
    }
  }
}

TEST_F(Parallel, AnExceptionEndsTheLoopEarly) {
  set_num_threads(2);
  std::atomic<int> done{0};
  EXPECT_THROW(parallel_for(1 << 20, 1,
                            [&](std::int64_t, std::int64_t) {
                              ++done;
                              throw std::runtime_error("first");
                            }),
               std::runtime_error);
  EXPECT_LE(done, 2);
}

TEST_F(Parallel, ExceptionsOfNestedLoopsReachTheOuterCaller) {
  set_num_threads(4);
  EXPECT_THROW(parallel_for(8, 1,
                            [](std::int64_t, std::int64_t) {
                              parallel_for(8, 1, [](std::int64_t begin, std::int64_t) {
                                if (begin == 5) throw std::domain_error("inner");
                              });
                            }),
               std::domain_error);
}

// Callers from several threads, nested loops, exceptions and changes of the number of threads, all
// at once. Meant to be run under ThreadSanitizer too.
TEST_F(Parallel, Stress) {
  set_num_threads(4);
  std::atomic<bool> stop{false};
  std::atomic<int> thrown{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller)
    callers.emplace_back([&, caller] {
      std::vector<std::int64_t> out(2000);
      for (std::int64_t round = 0; round < 150; ++round) {
        parallel_for(2000, 16, [&](std::int64_t begin, std::int64_t end) {
          parallel_for(end - begin, 4, [&](std::int64_t b, std::int64_t e) {
            for (std::int64_t i = begin + b; i < begin + e; ++i)
              out[static_cast<std::size_t>(i)] = round * i + caller;
          });
        });
        for (std::int64_t i = 0; i < 2000; ++i)
          ASSERT_EQ(out[static_cast<std::size_t>(i)], round * i + caller);
        try {
          parallel_for(64, 1, [&](std::int64_t begin, std::int64_t) {
            if (begin == round % 64) throw static_cast<int>(begin);
          });
        } catch (int begin) {
          ASSERT_EQ(begin, round % 64);
          ++thrown;
        }
      }
    });
  std::thread resizer([&] {
    for (int i = 0; !stop; ++i) {
      set_num_threads(1 + i % 5);
      std::this_thread::yield();
    }
  });
  for (auto& caller : callers) caller.join();
  stop = true;
  resizer.join();
  EXPECT_EQ(thrown, 3 * 150);
}

TEST_F(Parallel, ManySmallJobsFollowEachOther) {
  set_num_threads(4);
  std::atomic<std::int64_t> sum{0};
  for (int job = 0; job < 20000; ++job)
    parallel_for(4, 1, [&](std::int64_t begin, std::int64_t) { sum += begin; });
  EXPECT_EQ(sum, 20000 * 6);
}

TEST_F(Parallel, TheNumberOfThreadsIsChecked) {
  using mien::test::thrown;
  EXPECT_EQ(thrown([] { set_num_threads(0); }), "[parallel] expected 1 to 1024 threads, got 0");
  EXPECT_EQ(thrown([] { set_num_threads(1025); }),
            "[parallel] expected 1 to 1024 threads, got 1025");
  set_num_threads(2);
  EXPECT_EQ(
      thrown([] { parallel_for(2, 1, [](std::int64_t, std::int64_t) { set_num_threads(3); }); }),
      "[parallel] the number of threads cannot change inside parallel_for");
}

TEST(DefaultThreads, FollowTheEnvironment) {
  using mien::detail::default_num_threads;
  const char* set = std::getenv("MIEN_NUM_THREADS");
  const std::string before = set == nullptr ? "" : set;
  setenv("MIEN_NUM_THREADS", "3", 1);
  EXPECT_EQ(default_num_threads(8), 3);
  for (const char* wrong : {"0", "9", "-1", "two", "3x", "99999999999999999999"}) {
    setenv("MIEN_NUM_THREADS", wrong, 1);
    EXPECT_EQ(mien::test::thrown([] { default_num_threads(8); }),
              mien::str("[parallel] MIEN_NUM_THREADS is '", wrong, "', expected 1 to 8"));
  }
  unsetenv("MIEN_NUM_THREADS");
  EXPECT_GE(default_num_threads(1024), 1);
  EXPECT_EQ(default_num_threads(1), 1);
  if (set != nullptr) setenv("MIEN_NUM_THREADS", before.c_str(), 1);
}

// A tree as under /sys/fs/cgroup, and a file as /proc/self/cgroup.
class Cgroup : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  int quota() const { return mien::detail::cgroup_quota(root_, root_ + "/membership"); }

 private:
  std::string root_ = testing::TempDir() + "mien_cgroup_test";
};

TEST_F(Cgroup, NoneIsNoBound) {
  EXPECT_EQ(quota(), 0);
  write("/membership", "0::/\n");
  write("/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), 0);
  write("/cpu/cpu.cfs_quota_us", "-1\n");
  write("/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 0);
}

TEST_F(Cgroup, QuotaIsRoundedUp) {
  write("/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota(), 2);
  write("/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 2);
  write("/cpu.max", "1000 100000\n");
  EXPECT_EQ(quota(), 1);
}

TEST_F(Cgroup, TheSmallestOfTheGroupsAroundCounts) {
  write("/membership", "1:name=systemd:/elsewhere\n0::/outer/inner\n");
  write("/outer/inner/cpu.max", "800000 100000\n");
  EXPECT_EQ(quota(), 8);
  write("/outer/cpu.max", "300000 100000\n");
  EXPECT_EQ(quota(), 3);
  write("/cpu.max", "700000 100000\n");
  EXPECT_EQ(quota(), 3);
}

TEST_F(Cgroup, VersionOne) {
  write("/cpu/cpu.cfs_quota_us", "250000\n");
  write("/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), 3);
}

}  // namespace
