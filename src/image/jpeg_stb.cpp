// JPEG by stb.
#if !MIEN_WITH_JPEG

#include "codec.hpp"
#include "jpeg_markers.hpp"
#include "stb.hpp"

namespace mien::data {

std::string jpeg_library() { return "stb_image"; }

namespace codec {

Image decode_jpeg(io::Bytes file, const ImageLimits& limits) {
  const JpegMarkers markers = read_jpeg_markers(file, limits);
  require(markers.huffman_coded, "an arithmetic-coded JPEG, which needs libjpeg-turbo");
  require(markers.components != 4 || markers.adobe,
          "a CMYK JPEG without an Adobe segment, which needs libjpeg-turbo");
  check_jpeg_segments(file);  // stb takes missing data for zeros, and trusts the tables
  Image image = stb_decode(file, markers.width, markers.height);
  image.icc = markers.icc;
  image.exif = markers.exif;
  return image;
}

// stb halves the chroma up to quality 90 and not above, and writes grey as colour.
void encode_jpeg_pixels(const Image& image, const EncodeOptions& options, const Sink& sink) {
  sink(stb_encode_jpeg(image, options.jpeg_quality));
}

}  // namespace codec
}  // namespace mien::data

#endif
