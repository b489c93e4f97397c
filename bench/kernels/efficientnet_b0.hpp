#pragma once
// The blocks of EfficientNet-B0 at 224x224, for benchmarks of the shapes that they are made of.

#include <cstdint>
#include <string>
#include <vector>

#include <mien/models/efficientnet_options.hpp>

namespace mien::bench {

struct Block {
  std::string name;           // timm's
  bool distinct;              // unlike the block before it
  std::int64_t in, mid, out;  // channels: input, depthwise, output
  std::int64_t kernel, stride;
  std::int64_t size, out_size;  // height and width before and behind the depthwise convolution
};

inline std::vector<Block> efficientnet_b0_blocks() {
  std::vector<Block> blocks;
  std::int64_t in = 32, size = 112, stage = 0;
  for (const auto& s : models::efficientnet_stages) {
    for (std::int64_t i = 0; i < s.repeats; ++i) {
      const std::int64_t stride = i == 0 ? s.stride : 1, out_size = size / stride;
      blocks.push_back({str("blocks.", stage, '.', i), i < 2, in, in * s.expansion, s.channels,
                        s.kernel, stride, size, out_size});
      in = s.channels;
      size = out_size;
    }
    ++stage;
  }
  return blocks;
}

}  // namespace mien::bench
