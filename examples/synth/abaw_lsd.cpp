// ABAW4's learning from synthetic data (Kollias, "ABAW: learning from synthetic data & multi-task
// learning challenges", ECCV Workshops 2022):
//
//   training_set_synthetic_images/CLASS/*.jpg     low resolution, one distribution of persons
//   validation_set_real_images/CLASS/*.jpg        another one
//   lsd_test_data/0.jpg, 1.jpg, ...               as validation, without labels
//   LSD_Challenge_test_set_release.txt            image,expression; names alone

#include <array>
#include <string>
#include <vector>

#include <mien/affect/label_orders.hpp>

#include "files.hpp"
#include "framing.hpp"
#include "layouts.hpp"
#include "studio.hpp"

namespace mien::synth {
namespace {

// By folder. Of the validation set the total alone is published: shares are those of the multi-task
// validation set.
constexpr std::array<double, 6> train_counts = {18286, 15150, 10923, 73285, 144631, 14976};
constexpr std::array<double, 6> validation_counts = {487, 565, 1254, 3751, 1893, 1003};

Emotion emotion_of(int folder) {
  const auto name = affect::lsd_expressions[static_cast<std::size_t>(folder)];
  return static_cast<Emotion>(*affect::find_label(affect::affectnet_labels, name));
}

StudioOptions synthetic_train(std::int64_t people, float noise) {
  return {.people = people,
          .population = {.youngest = 0.2f,
                         .oldest = 0.7f,
                         .darkest = 0.45f,
                         .glasses = 0.05f,
                         .beard = 0.2f,
                         .shape_spread = 0.7f},
          .shots = {.yaw = 0.25f,
                    .pitch = 0.12f,
                    .grain = 0.04f,
                    .blur = 22,
                    .worst_quality = 12,
                    .best_quality = 45},
          .label_noise = noise};
}

StudioOptions real_faces(std::int64_t people) {
  return {.people = people,
          .population = {.glasses = 0.3f, .beard = 0.45f, .shape_spread = 1.2f},
          .shots = {.yaw = 0.5f,
                    .pitch = 0.24f,
                    .grain = 0.03f,
                    .blur = 9,
                    .worst_quality = 45,
                    .best_quality = 90}};
}

class LsdSet {
 public:
  LsdSet(const SetOptions& set, std::uint64_t number, const StudioOptions& studio)
      : set_(set), random_(Generator(set.seed).stream(3, number)), studio_(random_, studio) {}

  // `path_of` gives the path of picture i of a class, below the set's folder.
  template <class PathOf>
  void write(const std::string& name, std::int64_t count, std::span<const double> shares,
             PathOf path_of) const {
    Generator order = random_.stream(9);
    const auto folders = shuffled_labels(in_proportion(count, shares), order);
    write_each(name, count, [&](std::int64_t i) {
      const int folder = folders[static_cast<std::size_t>(i)];
      Portrait portrait = studio_.portrait(i, emotion_of(folder));
      portrait.shot = aligned(portrait);
      Generator noise = studio_.numbers(i);
      write_jpeg(set_.out + '/' + path_of(i, affect::lsd_folders[static_cast<std::size_t>(folder)]),
                 paint(portrait, set_.size, noise), portrait.shot.jpeg_quality);
    });
    say(str(name, ": ", count, " faces"));
  }

 private:
  const SetOptions& set_;
  Generator random_;
  Studio studio_;
};

}  // namespace

void write_abaw_lsd(const AbawLsdOptions& options) {
  const SetOptions& set = options.set;
  check_new(set.out);
  const auto people = [&](std::int64_t count) { return 1 + count / set.per_person; };
  const auto in = [](const char* folder) {
    return [folder](std::int64_t i, std::string_view name) {
      return str(folder, '/', name, '/', i, ".jpg");
    };
  };
  LsdSet(set, 0, synthetic_train(people(options.train), set.label_noise))
      .write("lsd train", options.train, train_counts, in("training_set_synthetic_images"));
  LsdSet(set, 1, real_faces(people(options.validation)))
      .write("lsd validation", options.validation, validation_counts,
             in("validation_set_real_images"));
  LsdSet(set, 2, real_faces(people(options.test)))
      .write("lsd test", options.test, validation_counts,
             [](std::int64_t i, std::string_view) { return str("lsd_test_data/", i, ".jpg"); });
  std::vector<std::string> release = {"image,expression"};
  for (std::int64_t i = 0; i < options.test; ++i) release.push_back(str(i, ".jpg"));
  write_lines(set.out + "/LSD_Challenge_test_set_release.txt", release);
}

}  // namespace mien::synth
