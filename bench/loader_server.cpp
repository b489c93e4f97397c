// The loader behind a pipe, for bench/peers/loader.py, which times mien beside torchvision in turn:
//
//   mien_loader_server FOLDER BATCH        a folder of classes of JPEG files, images per batch
//
// reads lines and answers each with one: "facts" -> JSON; "plain" -> CRC-32 of the first batch (n,
// h, w, c) of all images in order, only resized and normalised; "epoch WORKERS" -> seconds of a
// whole shuffled epoch with every random transform.

#include <chrono>
#include <string>
#include <utility>

#include <mien/cpu/isa.hpp>
#include <mien/data/color_jitter.hpp>
#include <mien/data/flip.hpp>
#include <mien/data/image_folder.hpp>
#include <mien/data/loader.hpp>
#include <mien/data/resize.hpp>
#include <mien/data/transform.hpp>

#include "data/noise.hpp"
#include "line_server.hpp"

namespace {

using namespace mien::data;
namespace bench = mien::bench;

constexpr Resize resize{.width = 224, .height = 224};
constexpr Collate collate{imagenet_normalization};

template <Transform T>
struct Transformed {
  const ImageFolder& folder;
  T transform;

  std::int64_t size() const { return folder.size(); }
  ImageFolder::Example get(std::int64_t i, mien::Generator& random) const {
    auto example = folder.get(i, random);
    example.image = transform(std::move(example.image), random);
    return example;
  }
};

std::uint32_t plain(const ImageFolder& folder, std::int64_t batch_size) {
  const Transformed dataset{folder, resize};
  const Loader loader(dataset, {.batch_size = batch_size}, collate);
  auto epoch = loader.epoch(0);
  const auto& images = (*epoch.begin()).images;
  return mien::bench::crc32(images.data(),
                            static_cast<std::size_t>(images.numel()) * sizeof(float));
}

double epoch_seconds(const ImageFolder& folder, std::int64_t batch_size, int workers,
                     std::int64_t number) {
  const Transformed dataset{
      folder,
      compose(ColorJitter({.brightness = 0.3, .contrast = 0.3, .saturation = 0.3, .hue = 0.1}),
              resize, RandomHorizontalFlip{})};
  const Loader loader(
      dataset, {.batch_size = batch_size, .shuffle = true, .workers = workers, .prefetch = 2},
      collate);
  const auto begin = std::chrono::steady_clock::now();
  std::int64_t images = 0;
  for (const auto& batch : loader.epoch(number)) images += batch.images.dim(0);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  mien::check(images == folder.size(), "mien_loader_server", "expected ", folder.size(),
              " images, got ", images);
  return taken.count();
}

int serve(const std::string& root, std::int64_t batch_size) {
  const ImageFolder folder(root);
  const std::string epoch = "epoch ";
  std::int64_t epochs = 0;
  return bench::serve_lines([&](const std::string& line) -> std::string {
    if (line == "facts") return mien::str("{\"isa\": \"", mien::active_isa(), "\"}");
    if (line == "plain") return mien::str(plain(folder, batch_size));
    if (line.starts_with(epoch))
      return bench::seconds_text(
          epoch_seconds(folder, batch_size, std::stoi(line.substr(epoch.size())), epochs++));
    mien::fail("mien_loader_server", "got '" + line + "'");
  });
}

}  // namespace

int main(int argc, char** argv) {
  return bench::serve_with_arguments(argc, argv, 2, "FOLDER BATCH",
                                     [&] { return serve(argv[1], std::stoll(argv[2])); });
}
