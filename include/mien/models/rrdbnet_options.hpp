#pragma once
// What an RRDBNet is made of (models/rrdbnet.hpp).

#include <cstdint>

namespace mien::models {

struct RrdbNetOptions {
  int scale = 4;  // 4, 2 or 1; 2 and 1 begin with a pixel unshuffle by 2 and 4
  std::int64_t num_in_ch = 3, num_out_ch = 3;
  std::int64_t num_feat = 64;     // width of the trunk
  std::int64_t num_block = 23;    // residual-in-residual dense blocks
  std::int64_t num_grow_ch = 32;  // channels that a convolution of a dense block adds

  std::int64_t unshuffle() const { return 4 / scale; }
};

}  // namespace mien::models
