#include <simt/stack_pool.hpp>
#include <simt/tsan_fibers.hpp>

#if MIEN_TSAN
// A race ends the program: a test of sound kernels fails, and one of broken kernels sees it die.
extern "C" const char* __tsan_default_options() { return "halt_on_error=1"; }
#endif

namespace mien::simt {

TsanFibers::FiberAndStack TsanFibers::take(const char* name) {
  if (idle_.size() < least_idle)
    idle_.push_front({sanitizer::create_fiber(), StackPool::shared().take()});
  const FiberAndStack pair = idle_.front();
  idle_.pop_front();
  sanitizer::name_fiber(pair.fiber, name);
  return pair;
}

TsanFibers& TsanFibers::shared() {
  static TsanFibers fibers;
  return fibers;
}

}  // namespace mien::simt
