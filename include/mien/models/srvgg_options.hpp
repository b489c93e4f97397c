#pragma once
// What an SRVGGNetCompact is made of (models/srvgg.hpp).

#include <cstdint>

namespace mien::models {

struct SrvggOptions {
  int upscale = 4;
  std::int64_t num_in_ch = 3, num_out_ch = 3;
  std::int64_t num_feat = 64;
  std::int64_t num_conv = 16;  // convolutions between the first and the last
};

}  // namespace mien::models
