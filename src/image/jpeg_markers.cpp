#include "jpeg_markers.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <mien/io/byte_reader.hpp>

namespace mien::data::codec {
namespace {

constexpr std::string_view exif_tag{"Exif\0\0", 6}, icc_tag{"ICC_PROFILE\0", 12};
constexpr std::size_t largest_payload = 65533;  // of a segment, after its two length bytes

// Second bytes of markers.
constexpr int tem = 0x01, sof0 = 0xc0, dht = 0xc4, jpg = 0xc8, dac = 0xcc, sof15 = 0xcf,
              rst0 = 0xd0, eoi = 0xd9, sos = 0xda, app0 = 0xe0, app1 = 0xe1, app2 = 0xe2,
              app14 = 0xee;

// Walks over the segments of a file: next() gives markers, payload() what belongs to the last one.
class Segments {
 public:
  explicit Segments(io::Bytes file) : file_(file) {}

  // The next marker; bytes before it that are none are skipped, as decoders do.
  int next() {
    for (;;) {
      while (take() != 0xff) {
      }
      int code = take();
      while (code == 0xff) code = take();
      if (code != 0) return code;  // 0: a stuffed byte in entropy-coded data
    }
  }
  io::Bytes payload() {
    const int high = take(), length = high << 8 | take();
    require(length >= 2, "a JPEG segment of length ", length);
    const auto size = static_cast<std::size_t>(length - 2);
    require(size <= file_.size() - at_, truncated);
    at_ += size;
    return file_.subspan(at_ - size, size);
  }
  std::size_t position() const { return at_; }

 private:
  int take() {
    require(at_ < file_.size(), truncated);
    return std::to_integer<int>(file_[at_++]);
  }
  io::Bytes file_;
  std::size_t at_ = 0;
};

bool stands_alone(int marker) { return (marker >= rst0 && marker <= eoi) || marker == tem; }
bool starts_frame(int marker) {
  return marker >= sof0 && marker <= sof15 && marker != dht && marker != jpg && marker != dac;
}

bool has_tag(io::Bytes payload, std::string_view tag) {
  return io::as_text(payload.first(std::min(payload.size(), tag.size()))) == tag;
}

// A profile comes in numbered pieces, possibly out of order. One with pieces missing is dropped.
class IccPieces {
 public:
  void add(io::Bytes payload) {
    if (payload.size() < icc_tag.size() + 2) return;
    const auto number = std::to_integer<std::size_t>(payload[icc_tag.size()]);
    count_ = std::to_integer<std::size_t>(payload[icc_tag.size() + 1]);
    pieces_[number] = payload.subspan(icc_tag.size() + 2);
  }
  std::vector<std::byte> joined() const {
    std::vector<std::byte> profile;
    for (std::size_t i = 1; i <= count_; ++i) {
      if (pieces_[i].empty()) return {};
      profile.insert(profile.end(), pieces_[i].begin(), pieces_[i].end());
    }
    return profile;
  }

 private:
  std::array<io::Bytes, 256> pieces_{};
  std::size_t count_ = 0;
};

void read_frame(JpegMarkers& found, int marker, io::Bytes payload) {
  require(payload.size() >= 6, "a broken JPEG frame header");
  const auto at = [&](std::size_t i) { return std::to_integer<int>(payload[i]); };
  require(at(0) == 8, "a JPEG of ", at(0), " bits, 8 are supported");
  found.height = at(1) << 8 | at(2);
  found.width = at(3) << 8 | at(4);
  found.components = at(5);
  found.huffman_coded = marker < sof0 + 8;  // later ones are arithmetic-coded
  require(found.components == 1 || found.components == 3 || found.components == 4, "a JPEG of ",
          found.components, " colour components, 1, 3 or 4 are supported");
}

// Tables one after another: class and number (1 byte), codes of each length (16), their values.
void check_huffman_tables(io::Bytes payload) {
  while (!payload.empty()) {
    std::size_t codes = 0;
    require(payload.size() >= 17, "a broken JPEG: a short Huffman table");
    for (const std::byte count : payload.subspan(1, 16))
      codes += std::to_integer<std::size_t>(count);
    require(codes <= 256 && codes <= payload.size() - 17, "a broken JPEG: a Huffman table of ",
            codes, " codes");
    payload = payload.subspan(17 + codes);
  }
}

void append_segment(std::vector<std::byte>& out, int marker, std::string_view head,
                    io::Bytes body) {
  const std::size_t length = 2 + head.size() + body.size();
  for (const int byte :
       {0xff, marker, static_cast<int>(length >> 8), static_cast<int>(length & 255)})
    out.push_back(static_cast<std::byte>(byte));
  const io::Bytes tag = io::as_bytes(head);
  out.insert(out.end(), tag.begin(), tag.end());
  out.insert(out.end(), body.begin(), body.end());
}

}  // namespace

JpegMarkers read_jpeg_markers(io::Bytes file, const ImageLimits& limits) {
  JpegMarkers found;
  IccPieces icc;
  Segments segments(file);
  for (int marker = segments.next(); marker != sos; marker = segments.next()) {
    require(marker != eoi, "a JPEG without a picture");
    if (stands_alone(marker)) continue;
    const io::Bytes payload = segments.payload();
    if (starts_frame(marker)) {
      read_frame(found, marker, payload);
    } else if (marker == app1 && found.exif.empty() && has_tag(payload, exif_tag)) {
      found.exif.assign(payload.begin() + exif_tag.size(), payload.end());
    } else if (marker == app2 && has_tag(payload, icc_tag)) {
      icc.add(payload);
    } else if (marker == app14 && has_tag(payload, "Adobe")) {
      found.adobe = true;
    }
  }
  require(found.components != 0, "a JPEG without a frame header");
  check_size(found.width, found.height, limits);
  // A block of 64 samples has at least one Huffman code, a code at least one bit, and no choice of
  // subsampling covers more than 1024 pixels with 8 blocks.
  const std::int64_t pixels = std::int64_t{found.width} * found.height;
  require(!found.huffman_coded || pixels / 1024 <= static_cast<std::int64_t>(file.size()),
          truncated);
  found.icc = icc.joined();
  return found;
}

void check_jpeg_segments(io::Bytes file) {
  Segments segments(file);
  std::size_t scans = 0;  // where they begin
  for (int marker = segments.next(); marker != eoi; marker = segments.next()) {
    if (stands_alone(marker)) continue;
    const io::Bytes payload = segments.payload();
    if (marker == dht) check_huffman_tables(payload);
    if (marker == sos && scans == 0) scans = segments.position();
  }
  // A decoder may lose step within broken scans: whatever it could take for a table is one.
  for (std::size_t i = scans; i + 1 < file.size(); ++i) {
    if (file[i] != std::byte{0xff} || file[i + 1] != std::byte{dht}) continue;
    check_huffman_tables(Segments(file.subspan(i + 2)).payload());
  }
}

std::vector<std::byte> with_jpeg_metadata(io::Bytes headers, const Image& image) {
  std::vector<std::byte> extra;
  require(image.exif.size() <= largest_payload - exif_tag.size(), "an EXIF block of ",
          image.exif.size(), " bytes does not fit into a JPEG");
  if (!image.exif.empty()) append_segment(extra, app1, exif_tag, image.exif);
  const io::Bytes icc(image.icc);
  constexpr std::size_t step = largest_payload - icc_tag.size() - 2;
  const std::size_t pieces = (icc.size() + step - 1) / step;
  require(pieces <= 255, "an ICC profile of ", icc.size(), " bytes does not fit into a JPEG");
  for (std::size_t i = 0; i < pieces; ++i) {
    std::string head(icc_tag);
    head += static_cast<char>(i + 1);
    head += static_cast<char>(pieces);
    append_segment(extra, app2, head, icc.subspan(i * step, std::min(step, icc.size() - i * step)));
  }
  // After the start-of-image marker and the JFIF segment, which must come first.
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(headers[at]); };
  const std::size_t at = byte(3) == app0 ? 4 + (byte(4) << 8 | byte(5)) : 2;
  std::vector<std::byte> out(headers.begin(), headers.end());
  out.insert(out.begin() + static_cast<std::ptrdiff_t>(at), extra.begin(), extra.end());
  return out;
}

}  // namespace mien::data::codec
