#include <simt/block.hpp>

#include <mien/core/error.hpp>
#include <simt/sanitizer.hpp>

namespace mien::simt {

namespace {
Block* current_block = nullptr;
}  // namespace

Block::Block(Launch& launch, const uint3& index)
    : launch_(launch),
      index_(index),
      shared_(launch.dynamic_shared_bytes, launch.large_shared),
      threads_(static_cast<std::size_t>(launch.block.count())),
      ready_(threads_.size(), 1),
      warp_meetings_((threads_.size() + warp_size - 1) / warp_size),
      unfinished_(static_cast<int>(threads_.size())) {
  int number = 0;
  for (Thread& thread : threads_) {
    thread.block = this;
    thread.number = number;
    thread.place = launch.block.place(number++);
  }
}

Block& Block::current() {
  check(current_block != nullptr, "simt", "a function of CUDA threads called outside of a kernel");
  return *current_block;
}

void Block::run() {
  struct Current {
    explicit Current(Block* block) { current_block = block; }
    ~Current() { current_block = nullptr; }
  } const current(this);
  indices.block = index_;
  Turns turns(ScheduleScope::active(), unfinished_);
  while (unfinished_ > 0 && !error_)
    if (!give_round(turns)) error_ = std::make_exception_ptr(Error("[simt] " + stall_report()));
  if (error_) {
    cancel_waiting();
    std::rethrow_exception(error_);
  }
}

// False where no thread could take its turn.
bool Block::give_round(Turns& turns) {
  bool moved = false;
  for (const std::int64_t number : turns.next_round()) {
    const auto i = static_cast<std::size_t>(number);
    if (ready_[i] == 0) continue;
    give_turn(threads_[i]);
    moved = true;
    if (error_) break;
  }
  return moved;
}

void Block::give_turn(Thread& thread) {
  indices.thread = thread.place;
  running_ = &thread;
  if (!thread.fiber) {
    const std::string name =
        MIEN_TSAN ? str("block ", index_, " thread ", indices.thread) : std::string();
    thread.fiber.emplace(thread_main, &thread, name.c_str());
  }
  thread.fiber->resume();
  if (thread.fiber->finished()) {
    thread.fiber.reset();
    ready_[static_cast<std::size_t>(thread.number)] = 0;
    --unfinished_;
  }
}

void Block::thread_main(void* argument) {
  Block& block = *static_cast<Thread*>(argument)->block;
  sanitizer::acquire(&block.launch_.started);
  try {
    block.launch_.call(block.launch_.arguments);
    const sanitizer::Quiet quiet;
    check(block.copies().all_made(), "simt",
          "a thread ended with asynchronous copies that it never waited for");
  } catch (const Cancelled&) {
  } catch (...) {
    const sanitizer::Quiet quiet;
    if (!block.error_) block.error_ = std::current_exception();
  }
  sanitizer::release(&block.launch_.ended);
}

void Block::cancel_waiting() {
  cancelled_ = true;
  for (Thread& thread : threads_)
    if (thread.fiber) give_turn(thread);
}

}  // namespace mien::simt
