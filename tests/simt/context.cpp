#include <simt/context.hpp>

#if MIEN_SIMT_ASSEMBLY

// Saves what the System V ABI asks a callee to keep, changes stacks, and goes on behind the other
// side's call. The last step is `pop; jmp`: the processor would predict a `ret` to return to the
// caller on the old stack, which costs 10 ns and more.
asm(R"(
.text
.type mien_simt_switch, @function
.globl mien_simt_switch
mien_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
.size mien_simt_switch, .-mien_simt_switch
)");

namespace mien::simt {

void prepare_context(Context& context, void* stack, std::size_t size, void (*entry)()) {
  constexpr int saved_registers = 6;
  void** top = reinterpret_cast<void**>(static_cast<char*>(stack) + size);
  *--top = nullptr;  // entry()'s return address: backtraces end here, and the stack is aligned
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < saved_registers; ++i) *--top = nullptr;
  context.stack_pointer = top;
}

}  // namespace mien::simt

#else

namespace mien::simt {

void prepare_context(Context& context, void* stack, std::size_t size, void (*entry)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = size;
  context.uc_link = nullptr;
  makecontext(&context, entry, 0);
}

}  // namespace mien::simt

#endif
