// Each test runs in processes of their own: what is tested ends them.

#include <gtest/gtest.h>
#include <mien/train/interrupt.hpp>

#include <csignal>
#include <cstdlib>

namespace mien::train {
namespace {

TEST(Interrupt, TheFirstSignalAsksToStop) {
  const auto program = [](int signal) {
    catch_interrupts();
    throw_if_interrupted();
    if (pending_interrupt() != 0) std::_Exit(1);
    std::raise(signal);
    if (pending_interrupt() != signal) std::_Exit(2);
    try {
      throw_if_interrupted();
    } catch (const Interrupted& interrupted) {
      std::_Exit(interrupted.exit_code());
    }
    std::_Exit(3);
  };
  EXPECT_EXIT(program(SIGINT), testing::ExitedWithCode(130), "");
  EXPECT_EXIT(program(SIGTERM), testing::ExitedWithCode(143), "");
}

TEST(Interrupt, TheSecondSignalEndsTheProgramWhicheverItIs) {
  const auto program = [](int first, int second) {
    catch_interrupts();
    std::raise(first);
    std::raise(second);
    std::_Exit(1);
  };
  EXPECT_EXIT(program(SIGINT, SIGINT), testing::KilledBySignal(SIGINT), "");
  EXPECT_EXIT(program(SIGINT, SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(Interrupt, ASignalThatIsIgnoredStaysIgnored) {
  const auto program = [] {
    std::signal(SIGINT, SIG_IGN);
    catch_interrupts();
    std::raise(SIGINT);
    if (pending_interrupt() != 0) std::_Exit(1);
    std::raise(SIGTERM);
    std::_Exit(pending_interrupt() == SIGTERM ? 0 : 2);
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace mien::train
