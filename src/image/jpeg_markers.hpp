#pragma once
// The marker segments of a JPEG file, read and written without a codec.

#include <cstddef>
#include <vector>

#include "codec.hpp"

namespace mien::data::codec {

struct JpegMarkers {
  int width = 0, height = 0, components = 0;
  bool huffman_coded = true;
  bool adobe = false;  // an Adobe segment says how colours are stored
  std::vector<std::byte> icc, exif;
};

// Reads the segments up to the first scan, and checks the picture's size against the limits and
// against what the file can hold.
JpegMarkers read_jpeg_markers(io::Bytes file, const ImageLimits& limits);

// Throws unless the segments run to an end-of-image marker and the Huffman tables among them hold
// no more codes than there are bytes.
void check_jpeg_segments(io::Bytes file);

// Of a plain JPEG at least the headers, with the EXIF block and ICC profile of `image` put in.
std::vector<std::byte> with_jpeg_metadata(io::Bytes headers, const Image& image);

}  // namespace mien::data::codec
