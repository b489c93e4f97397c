#pragma once
// The shared memory of a block. Each array is a piece of the heap of exactly its size, so that
// AddressSanitizer sees its ends, filled with 0xFF (NaN in every float type), so that what nobody
// wrote shows. It is counted as the GPU counts it.

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace mien::simt {

inline constexpr std::size_t default_shared_bytes = 48 * 1024;   // without asking for more
inline constexpr std::size_t largest_shared_bytes = 227 * 1024;  // sm_90; sm_80 has 163 KB

class SharedMemory {
 public:
  // may_be_large: cudaFuncSetAttribute(cudaFuncAttributeMaxDynamicSharedMemorySize) was called.
  SharedMemory(std::size_t dynamic_bytes, bool may_be_large);

  void* dynamic() const { return dynamic_.get(); }

  // The static array that `key` stands for; made when a thread of the block first asks for it.
  void* variable(const void* key, std::size_t bytes, std::size_t alignment);

 private:
  struct Release {
    std::align_val_t alignment;
    void operator()(void* memory) const { ::operator delete(memory, alignment); }
  };
  using Piece = std::unique_ptr<void, Release>;
  struct Variable {
    const void* key;
    Piece memory;
  };

  static Piece allocate(std::size_t bytes, std::size_t alignment);

  std::size_t dynamic_bytes_, static_bytes_ = 0;
  bool may_be_large_;
  Piece dynamic_;
  std::vector<Variable> variables_;
};

}  // namespace mien::simt
