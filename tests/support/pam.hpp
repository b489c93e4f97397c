#pragma once
// Portable arbitrary maps, the format of the expected pixels under tests/golden:
// https://netpbm.sourceforge.net/doc/pam.html. Samples of 16 bits are big-endian.

#include <cstdlib>
#include <string>
#include <string_view>

#include <mien/data/image.hpp>
#include <mien/io/byte_reader.hpp>

namespace mien::test {

inline data::Image read_pam(const std::string& path) {
  const io::MappedFile file(path);
  io::ByteReader reader(file.bytes(), path);
  int width = 0, height = 0, depth = 0, largest = 0;
  for (std::string_view line = reader.line(); line != "ENDHDR"; line = reader.line()) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const int value = std::atoi(std::string(line.substr(space)).c_str());
    const std::string_view key = line.substr(0, space);
    if (key == "WIDTH") width = value;
    if (key == "HEIGHT") height = value;
    if (key == "DEPTH") depth = value;
    if (key == "MAXVAL") largest = value;
  }
  data::Image image(width, height, depth, largest > 255 ? 16 : 8);
  data::with_sample(image, [&](auto zero) {
    for (auto& sample : image.samples<decltype(zero)>()) {
      int value = reader.u8();
      if (image.bits() == 16) value = value << 8 | reader.u8();
      sample = static_cast<decltype(zero)>(value);
    }
  });
  return image;
}

}  // namespace mien::test
