// What a program outside mien does with mien::image and mien::weights: writes a picture and a
// checkpoint into a folder and reads them again.

#include <cstdint>
#include <cstdio>
#include <string>

#include <mien/data/image_decode.hpp>
#include <mien/data/image_encode.hpp>
#include <mien/io/safetensors.hpp>
#include <mien/weights/read.hpp>

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : ".";

  mien::data::Image image(3, 2, 1);
  std::uint8_t value = 0;
  for (auto& sample : image.samples<std::uint8_t>()) sample = value++;
  mien::data::write_image(folder + "/image.png", image);
  const mien::data::Image again = mien::data::read_image(folder + "/image.png");

  mien::io::SafetensorsFile file;
  file.tensors.emplace_back("x", mien::Tensor<float>::arange(4));
  mien::io::write_safetensors(folder + "/x.safetensors", file);
  const auto checkpoint = mien::weights::read_checkpoint(folder + "/x.safetensors");

  std::printf("PNG by %s, %lld x %lld; %zu tensor\n", mien::data::png_library().c_str(),
              static_cast<long long>(again.width()), static_cast<long long>(again.height()),
              checkpoint.tensors.size());
  const bool same = again.row<std::uint8_t>(1)[2] == 5 && checkpoint.tensors.size() == 1;
  return same ? 0 : 1;
}
