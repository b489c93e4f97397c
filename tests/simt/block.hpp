#pragma once
// A block of CUDA threads, one fiber each. Every thread runs until it must wait for others; the
// schedule says whose turn is next.

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <simt/copies.hpp>
#include <simt/fiber.hpp>
#include <simt/indices.hpp>
#include <simt/launch.hpp>
#include <simt/schedule.hpp>
#include <simt/shared_memory.hpp>
#include <simt/thread.hpp>

namespace mien::simt {

class Block {
 public:
  Block(Launch& launch, const uint3& index);

  // Throws what a thread threw, or an error that says where threads wait in vain.
  void run();

  // The block whose kernel runs; an error outside of kernels.
  static Block& current();

  SharedMemory& shared() { return shared_; }

  // Called by the running thread; see thread.hpp.
  Copies& copies() { return running_->copies; }
  int lane() const { return running_->number % warp_size; }
  void barrier(const Site& site);
  const LaneValues& exchange(const Site& site, unsigned mask, std::uint64_t value,
                             bool orders_memory);

 private:
  struct Thread {
    Block* block = nullptr;
    int number = 0;
    uint3 place;
    std::optional<Fiber> fiber;  // from its first turn to its end
    Copies copies;
  };

  // Unwinds a thread that waits when another one has failed.
  struct Cancelled {};

  // Threads that wait for each other: the lanes of `mask`, or (mask 0) all threads of the block.
  // Its address is the token by which ThreadSanitizer orders their memory. When all have left, the
  // same threads may meet there again: what the token holds is known to each of them.
  struct Meeting {
    unsigned mask;
    int expected;
    Site site = {};   // where they meet now
    int arrived = 0;  // threads that wait
    int leaving = 0;  // threads that have yet to leave, once all have come
    LaneValues values = {};
  };
  using Meetings = std::vector<std::unique_ptr<Meeting>>;

  static void thread_main(void* argument);
  bool give_round(Turns& turns);
  void give_turn(Thread& thread);
  void cancel_waiting();
  std::string stall_report() const;

  void check_mask(const Site& site, unsigned mask) const;
  static Meeting& join(Meetings& meetings, const Site& site, unsigned mask, int expected);
  const LaneValues& meet(Meetings& meetings, const Site& site, unsigned mask, int expected,
                         std::uint64_t value, bool orders_memory);
  void await(Meeting& meeting, std::uint64_t value);
  void wake(unsigned mask);

  Launch& launch_;
  uint3 index_;
  SharedMemory shared_;
  std::vector<Thread> threads_;
  std::vector<char> ready_;  // by thread: neither waits nor has ended
  std::vector<Meetings> warp_meetings_;
  Meetings block_meetings_;
  Thread* running_ = nullptr;
  int unfinished_;
  bool cancelled_ = false;
  std::exception_ptr error_;
};

}  // namespace mien::simt
