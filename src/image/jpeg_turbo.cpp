// JPEG by libjpeg-turbo.
#if MIEN_WITH_JPEG

#include <algorithm>
#include <cstdio>
#include <span>
#include <vector>

#include <jpeglib.h>

#include "codec.hpp"
#include "jpeg_markers.hpp"

namespace mien::data {

std::string jpeg_library() {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  constexpr int version = LIBJPEG_TURBO_VERSION_NUMBER;
  return str("libjpeg-turbo ", version / 1000000, '.', version / 1000 % 1000, '.', version % 1000);
#else
  return str("libjpeg ", JPEG_LIB_VERSION);
#endif
}

namespace codec {
namespace {

constexpr int most_scans = 1000;  // progressive files have about ten; a hostile one costs minutes

struct Errors {
  jpeg_error_mgr base;  // first: libjpeg hands back a pointer to it
  Trap trap;
};

[[noreturn]] void report(j_common_ptr info, const char* text, const char* detail = "") {
  Trap& trap = reinterpret_cast<Errors*>(info->err)->trap;
  std::snprintf(trap.message, sizeof trap.message, "%s%s", text, detail);
  std::longjmp(trap.jump, 1);
}

void on_error(j_common_ptr info) {
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  report(info, "a broken JPEG: ", text);
}
void on_message(j_common_ptr) {}  // warnings: decoding goes on, as in Pillow and OpenCV

jpeg_error_mgr* install(Errors& errors) {
  jpeg_error_mgr* base = jpeg_std_error(&errors.base);
  base->error_exit = on_error;
  base->output_message = on_message;
  return base;
}

boolean on_end_of_file(j_decompress_ptr info) {
  report(reinterpret_cast<j_common_ptr>(info), truncated);
}

void on_progress(j_common_ptr info) {
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number > most_scans) report(info, "a JPEG of too many scans");
}

struct Decoder {
  Errors errors;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};

  Decoder() { info.err = install(errors); }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

struct Encoder {
  const Sink& sink;
  Errors errors;
  std::vector<JOCTET> piece = std::vector<JOCTET>(1 << 16);  // what libjpeg fills
  jpeg_destination_mgr destination{};
  jpeg_compress_struct info{};

  explicit Encoder(const Sink& to) : sink(to) { info.err = install(errors); }
  ~Encoder() { jpeg_destroy_compress(&info); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

void begin_piece(j_compress_ptr info) {
  auto& encoder = *static_cast<Encoder*>(info->client_data);
  info->dest->next_output_byte = encoder.piece.data();
  info->dest->free_in_buffer = encoder.piece.size();
}
void hand_over(j_compress_ptr info, std::size_t size) {
  auto& encoder = *static_cast<Encoder*>(info->client_data);
  if (!deliver(encoder.errors.trap, encoder.sink,
               io::Bytes(std::as_bytes(std::span(encoder.piece))).first(size)))
    report(reinterpret_cast<j_common_ptr>(info), "cannot be written");
}
boolean next_piece(j_compress_ptr info) {
  hand_over(info, static_cast<Encoder*>(info->client_data)->piece.size());
  begin_piece(info);
  return TRUE;
}
void end_piece(j_compress_ptr info) {
  hand_over(info,
            static_cast<Encoder*>(info->client_data)->piece.size() - info->dest->free_in_buffer);
}

void open(Decoder& decoder, io::Bytes file) {
  jpeg_decompress_struct& info = decoder.info;
  jpeg_create_decompress(&info);
  decoder.progress.progress_monitor = on_progress;
  info.progress = &decoder.progress;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  info.src->fill_input_buffer = on_end_of_file;
  jpeg_read_header(&info, TRUE);
}

void start(Decoder& decoder) {
  jpeg_decompress_struct& info = decoder.info;
  if (info.num_components == 4) info.out_color_space = JCS_CMYK;
  info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&info);
}

// Stored as in Adobe's files, inverted (0 is full ink), as Pillow assumes.
void inverted_cmyk_to_rgb(std::uint8_t* rgb, const std::uint8_t* cmyk, std::int64_t pixels) {
  for (std::int64_t i = 0; i < pixels; ++i, rgb += 3, cmyk += 4)
    for (int c = 0; c < 3; ++c) {
      const int ink = (255 - cmyk[c]) * cmyk[3] + 128;
      rgb[c] = static_cast<std::uint8_t>(std::max(0, cmyk[3] - (((ink >> 8) + ink) >> 8)));
    }
}

}  // namespace

Image decode_jpeg(io::Bytes file, const ImageLimits& limits) {
  const JpegMarkers markers = read_jpeg_markers(file, limits);
  Decoder decoder;
  jpeg_decompress_struct& info = decoder.info;
  guarded(decoder.errors.trap, [&] { open(decoder, file); });
  require(info.num_components == markers.components &&
              static_cast<int>(info.image_width) == markers.width &&
              static_cast<int>(info.image_height) == markers.height,
          "a broken JPEG: two frame headers");
  guarded(decoder.errors.trap, [&] { start(decoder); });

  const int components = info.output_components;
  Image image(info.output_width, info.output_height, components == 1 ? 1 : 3);
  image.icc = markers.icc;
  image.exif = markers.exif;
  std::vector<std::uint8_t> cmyk(components == 4 ? std::size_t{info.output_width} * 4 : 0);
  const auto pixels = image.samples<std::uint8_t>();
  guarded(decoder.errors.trap, [&] {
    const std::int64_t width = info.output_width, stride = image.samples_per_row();
    while (info.output_scanline < info.output_height) {
      std::uint8_t* row = pixels.data() + info.output_scanline * stride;
      JSAMPROW into = components == 4 ? cmyk.data() : row;
      jpeg_read_scanlines(&info, &into, 1);
      if (components == 4) inverted_cmyk_to_rgb(row, cmyk.data(), width);
    }
    jpeg_finish_decompress(&info);
  });
  return image;
}

void encode_jpeg_pixels(const Image& image, const EncodeOptions& options, const Sink& sink) {
  Encoder encoder(sink);
  jpeg_compress_struct& info = encoder.info;
  const auto pixels = image.samples<std::uint8_t>();
  guarded(encoder.errors.trap, [&] {
    jpeg_create_compress(&info);
    info.client_data = &encoder;
    encoder.destination.init_destination = begin_piece;
    encoder.destination.empty_output_buffer = next_piece;
    encoder.destination.term_destination = end_piece;
    info.dest = &encoder.destination;
    info.image_width = static_cast<JDIMENSION>(image.width());
    info.image_height = static_cast<JDIMENSION>(image.height());
    info.input_components = image.channels();
    info.in_color_space = image.channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, options.jpeg_quality, TRUE);
    if (!options.subsample_chroma)
      info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      const std::uint8_t* row = pixels.data() + info.next_scanline * image.samples_per_row();
      JSAMPROW from = const_cast<JSAMPROW>(row);
      jpeg_write_scanlines(&info, &from, 1);
    }
    jpeg_finish_compress(&info);
  });
}

}  // namespace codec
}  // namespace mien::data

#endif
