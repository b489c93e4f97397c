#pragma once
// The switch between two stacks: own assembly on x86-64 (3 ns), ucontext elsewhere (175 ns: it
// saves the signal mask by a system call). MIEN_SIMT_UCONTEXT forces the latter.

#include <cstddef>

#include <mien/config.hpp>

#if MIEN_X86 && !defined(MIEN_SIMT_UCONTEXT)
#define MIEN_SIMT_ASSEMBLY 1
#else
#define MIEN_SIMT_ASSEMBLY 0
#include <ucontext.h>
#endif

namespace mien::simt {

#if MIEN_SIMT_ASSEMBLY
// Everything else that a switch must keep lies on the stack itself.
struct Context {
  void* stack_pointer = nullptr;
};

extern "C" void mien_simt_switch(void** saved_stack_pointer, void* next_stack_pointer);

MIEN_INLINE void switch_context(Context& from, const Context& to) {
  mien_simt_switch(&from.stack_pointer, to.stack_pointer);
}
#else
using Context = ucontext_t;

MIEN_INLINE void switch_context(Context& from, const Context& to) { swapcontext(&from, &to); }
#endif

// A context that calls entry() on the given stack when it is first switched to. entry() must not
// return.
void prepare_context(Context& context, void* stack, std::size_t size, void (*entry)());

}  // namespace mien::simt
