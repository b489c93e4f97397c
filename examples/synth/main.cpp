// mien-synth: a small set of pictures, drawn by arithmetic, and freshly initialised networks, for
// trying the other programs where no real data is at hand.
//
//   mien-synth OUT [--count N] [--size S]      OUT/images/face_0.png, ...
//   mien-synth OUT --networks                  OUT/weights/{upscale,analyze}.safetensors

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include <mien/core/random.hpp>
#include <mien/data/image_encode.hpp>
#include <mien/models/emotieffnet.hpp>
#include <mien/models/srvgg.hpp>
#include <mien/weights/native.hpp>

namespace {

namespace fs = std::filesystem;

struct Rgb {
  float r, g, b;
};

// A face as a painter sees it: everything in units of half the picture's side, y downwards.
struct Face {
  Rgb skin, background, hair;
  float width, smile, eyes;  // smile in [-1, 1], eyes: half their height

  explicit Face(mien::Generator& random) {
    const auto between = [&](float low, float high) {
      return low + (high - low) * random.uniform();
    };
    const float tone = between(0.35f, 1.0f);
    skin = {0.95f * tone, 0.78f * tone, 0.66f * tone};
    background = {between(0.2f, 0.9f), between(0.2f, 0.9f), between(0.2f, 0.9f)};
    hair = {between(0.05f, 0.5f), between(0.05f, 0.3f), between(0.02f, 0.2f)};
    width = between(0.55f, 0.7f);
    smile = between(-1, 1);
    eyes = between(0.03f, 0.09f);
  }

  Rgb at(float x, float y) const {
    const auto ellipse = [&](float cx, float cy, float rx, float ry) {
      return std::hypot((x - cx) / rx, (y - cy) / ry) <= 1;
    };
    const float side = std::abs(x);
    if (std::abs(y - 0.42f + smile * 0.12f * (1 - 6 * x * x)) < 0.03f && side < 0.3f)
      return {0.55f, 0.15f, 0.15f};
    if (ellipse(x < 0 ? -0.26f : 0.26f, -0.15f, 0.045f, eyes)) return {0.1f, 0.08f, 0.08f};
    if (ellipse(x < 0 ? -0.26f : 0.26f, -0.15f, 0.1f, eyes)) return {0.97f, 0.97f, 0.97f};
    if (std::abs(y + 0.32f + smile * 0.04f) < 0.025f && side > 0.14f && side < 0.38f) return hair;
    if (ellipse(0, 0.05f, width, 0.8f)) return y < -0.5f + 0.2f * x ? hair : skin;
    return ellipse(0, -0.12f, width + 0.12f, 0.84f) ? hair : background;
  }
};

// Each pixel is the mean of 4 x 4 samples.
mien::data::Image paint(const Face& face, int size) {
  mien::data::Image image(size, size, 3);
  for (int y = 0; y < size; ++y) {
    const auto row = image.row<std::uint8_t>(y);
    for (int x = 0; x < size; ++x) {
      Rgb sum{0, 0, 0};
      for (int i = 0; i < 16; ++i) {
        const auto unit = [&](int pixel, int sample) {
          return (static_cast<float>(pixel) + (static_cast<float>(sample) + 0.5f) / 4) * 2 /
                     static_cast<float>(size) -
                 1;
        };
        const Rgb color = face.at(unit(x, i % 4), unit(y, i / 4));
        sum = {sum.r + color.r, sum.g + color.g, sum.b + color.b};
      }
      const float channels[] = {sum.r, sum.g, sum.b};
      for (int c = 0; c < 3; ++c)
        row[static_cast<std::size_t>(3 * x + c)] =
            static_cast<std::uint8_t>(std::lround(channels[c] / 16 * 255));
    }
  }
  return image;
}

void write_images(const fs::path& folder, int count, int size) {
  fs::create_directories(folder);
  mien::Generator random(7);
  for (int i = 0; i < count; ++i)
    mien::data::write_image((folder / ("face_" + std::to_string(i) + ".png")).string(),
                            paint(Face(random), size));
  std::printf("%d pictures in %s\n", count, folder.c_str());
}

template <class Network>
void write_network(const fs::path& path, Network network,
                   const mien::weights::Architecture& architecture) {
  mien::weights::ImportedModel model;
  model.file = path.string();
  model.format = "freshly initialised";
  model.architecture = architecture;
  model.tensors = network.state_dict();
  mien::weights::write_native(path.string(), model);
  std::printf("%s: %s\n", path.c_str(), mien::weights::architecture_name(architecture).c_str());
}

void write_networks(const fs::path& folder) {
  fs::create_directories(folder);
  mien::manual_seed(7);
  const mien::models::SrvggOptions compact{.num_feat = 16, .num_conv = 4};
  write_network(folder / "upscale.safetensors", mien::models::SrvggNetCompact<float>(compact),
                compact);
  const auto emotions = mien::models::mt_emotieffnet_options();
  mien::models::EfficientNet<float> analyze(emotions);
  analyze.initialize(mien::default_generator());
  write_network(folder / "analyze.safetensors", analyze, emotions);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Draws a small set of pictures, or initialises networks, to try mien on.");
  std::string out;
  int count = 6, size = 96;
  bool networks = false;
  app.add_option("OUT", out, "folder to write to")->required();
  app.add_option("--count", count, "pictures")->check(CLI::Range(1, 1000));
  app.add_option("--size", size, "side of a picture in pixels")->check(CLI::Range(16, 4096));
  app.add_flag("--networks", networks, "write networks instead of pictures");
  CLI11_PARSE(app, argc, argv);
  try {
    if (networks)
      write_networks(fs::path(out) / "weights");
    else
      write_images(fs::path(out) / "images", count, size);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mien-synth: %s\n", error.what());
    return 1;
  }
}
