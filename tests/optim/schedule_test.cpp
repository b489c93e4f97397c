#include <gtest/gtest.h>

#include <string>

#include <mien/optim/schedule.hpp>

#include "optim/toy_model.hpp"
#include "support/thrown.hpp"

namespace {

using namespace mien::optim;
using mien::test::thrown;

template <Schedule S>
void expect_torch(const S& schedule, const std::string& name) {
  const auto expected = mien::test::golden().at("schedule." + name);
  for (std::int64_t step = 0; step < expected.numel(); ++step)
    EXPECT_NEAR(schedule(step), expected(step), 1e-14) << name << ", step " << step;
}

TEST(Schedule, FollowsTorch) {
  expect_torch(StepDecay{.every = 3, .gamma = 0.5}, "step");
  expect_torch(Cosine{.steps = 8, .floor = 0.1}, "cosine");
  expect_torch(Warmup<Cosine>{.steps = 4, .start = 0.2, .then = {.steps = 8}}, "warmup");
}

TEST(Schedule, Ends) {
  EXPECT_EQ(Constant{}(1000000), 1);
  EXPECT_NEAR((Cosine{.steps = 8, .floor = 0.1}(1000000)), 0.1, 1e-15);
  EXPECT_EQ((Warmup<>{.steps = 0}(0)), 1);
  EXPECT_EQ(thrown([] { Cosine{.steps = 0}(1); }),
            "[cosine] expected a positive number of steps, got 0");
  EXPECT_EQ(thrown([] { StepDecay{.every = 0}(1); }),
            "[step_decay] expected a positive number of steps, got 0");
}

}  // namespace
