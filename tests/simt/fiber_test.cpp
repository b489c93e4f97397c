#include <gtest/gtest.h>
#include <simt/fiber.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <simt/stack_pool.hpp>

namespace mien::simt {
namespace {

struct Steps {
  std::vector<std::string> names;
  int suspensions;
};

void take_steps(void* argument) {
  const sanitizer::Quiet quiet;  // fibers are unordered, here they share one array
  Steps& steps = *static_cast<Steps*>(argument);
  for (int i = 0; i < steps.suspensions; ++i) {
    steps.names.push_back("step " + std::to_string(i));
    Fiber::suspend();
  }
  steps.names.push_back("end");
}

TEST(FiberTest, GoesOnWhereItStopped) {
  Steps steps{.names = {}, .suspensions = 2};
  Fiber fiber(take_steps, &steps, "steps");
  EXPECT_TRUE(steps.names.empty());
  for (int i = 0; i < 2; ++i) {
    fiber.resume();
    EXPECT_EQ(steps.names.back(), "step " + std::to_string(i));
    EXPECT_FALSE(fiber.finished());
  }
  fiber.resume();
  EXPECT_EQ(steps.names.back(), "end");
  EXPECT_TRUE(fiber.finished());
}

TEST(FiberTest, ManyStandStillAtOnce) {
  Steps steps{.names = {}, .suspensions = 1};
  {
    std::vector<std::unique_ptr<Fiber>> fibers;
    for (int i = 0; i < 1024; ++i)
      fibers.push_back(std::make_unique<Fiber>(take_steps, &steps, "steps"));
    for (int round = 0; round < 2; ++round)
      for (auto& fiber : fibers) fiber->resume();
  }
  EXPECT_EQ(steps.names.size(), 2048u);
}

TEST(FiberTest, ExceptionsStayOnTheirStack) {
  const auto throw_and_catch = [](void* caught) {
    const sanitizer::Quiet quiet;
    try {
      Fiber::suspend();
      throw std::runtime_error("inside");
    } catch (const std::runtime_error& error) {
      *static_cast<std::string*>(caught) = error.what();
    }
  };
  std::string caught;
  Fiber fiber(throw_and_catch, &caught, "thrower");
  fiber.resume();
  fiber.resume();
  EXPECT_EQ(caught, "inside");
}

TEST(FiberTest, StacksAreUsedAgain) {
  StackPool& pool = StackPool::shared();
  const sanitizer::StackBounds first = pool.take();
  pool.give_back(first);
  const sanitizer::StackBounds second = pool.take();
  pool.give_back(second);
  EXPECT_EQ(first.bottom, second.bottom);
}

// Needs more than the stack has; the compiler cannot know which byte of it.
MIEN_NOINLINE void overflow(void*) {
  volatile std::size_t lowest = 0;
  volatile char frame[StackPool::stack_size];
  frame[lowest] = 1;
  lowest = static_cast<std::size_t>(frame[lowest]);
}

TEST(FiberTest, AnOverflowMeetsTheGuardPage) {
  EXPECT_DEATH(
      {
        Fiber fiber(overflow, nullptr, "overflow");
        fiber.resume();
      },
      "");
}

}  // namespace
}  // namespace mien::simt
