#pragma once
// The 3x3 convolutions of the super-resolution networks on images of 112x112: RRDBNet, whose dense
// blocks keep their inputs and outputs in one image of 192 channels, and SRVGGNetCompact.

#include <vector>

namespace mien::bench {

enum class Tail { none, leaky_relu, prelu, residual };

struct Convolution3x3 {
  const char* name;
  int size;  // of the square input
  int in, out;
  int in_stride, out_stride;  // channels of the images that they are slices of
  Tail tail;
  bool upsample, typical;
};

inline std::vector<Convolution3x3> super_resolution_convolutions() {
  return {{"rrdb_first", 112, 3, 64, 3, 64, Tail::none, false, false},
          {"rrdb_conv1", 112, 64, 32, 192, 192, Tail::leaky_relu, false, true},
          {"rrdb_conv2", 112, 96, 32, 192, 192, Tail::leaky_relu, false, false},
          {"rrdb_conv3", 112, 128, 32, 192, 192, Tail::leaky_relu, false, false},
          {"rrdb_conv4", 112, 160, 32, 192, 192, Tail::leaky_relu, false, false},
          {"rrdb_conv5", 112, 192, 64, 192, 64, Tail::residual, false, true},
          {"rrdb_up1", 112, 64, 64, 64, 64, Tail::leaky_relu, true, false},
          {"rrdb_up2", 224, 64, 64, 64, 64, Tail::leaky_relu, true, false},
          {"rrdb_hr", 448, 64, 64, 64, 64, Tail::leaky_relu, false, false},
          {"rrdb_last", 448, 64, 3, 64, 3, Tail::none, false, false},
          {"srvgg_first", 112, 3, 64, 3, 64, Tail::prelu, false, false},
          {"srvgg_body", 112, 64, 64, 64, 64, Tail::prelu, false, true},
          {"srvgg_last", 112, 64, 48, 64, 48, Tail::none, false, false}};
}

}  // namespace mien::bench
