// s-Aff-Wild2, the multi-task set of ABAW4 (Kollias, "ABAW: learning from synthetic data &
// multi-task learning challenges", ECCV Workshops 2022):
//
//   training_set_annotations.txt, validation_set_annotations.txt   labels, many missing; repeats
//   cropped/VIDEO/FRAME.jpg, cropped_aligned/VIDEO/FRAME.jpg       of both sets
//   openface_aus_cropped_aligned/VIDEO.csv
//   MTL_Challenge_test_set_release.txt, mtl_test_data/...          the same without labels
//
// A video shows one person under one light; the head moves slowly and expressions come and go.

#include <array>
#include <string>
#include <vector>

#include <mien/affect/abaw_mtl.hpp>

#include "files.hpp"
#include "framing.hpp"
#include "layouts.hpp"
#include "openface.hpp"
#include "studio.hpp"

namespace mien::synth {
namespace {

// Shares of frames by expression, in the order of the annotations, and of labels that are there;
// how often an image is listed twice, and OpenFace finds no face.
struct Shares {
  std::array<double, 8> expressions;
  float affect, expression, action_units;
  float repeated, failures;
};
constexpr Shares train_shares = {
    {23976, 4555, 3168, 3122, 18135, 7609, 5228, 24852}, 0.730f, 0.637f, 0.726f, 0.0066f, 0.062f};
constexpr Shares validation_shares = {
    {1886, 487, 565, 1254, 3751, 1893, 1003, 4601}, 1.0f, 0.574f, 1.0f, 0.0066f, 0.040f};
constexpr Shares test_shares = {
    {1886, 487, 565, 1254, 3751, 1893, 1003, 4601}, 0, 0, 0, 0.014f, 0.066f};

Emotion emotion_of(int label) {
  const auto name = affect::abaw_expressions[static_cast<std::size_t>(label)];
  const auto known = affect::find_label(affect::affectnet_labels, name);
  return known ? static_cast<Emotion>(*known) : Emotion::other;
}

std::string video_name(std::int64_t i) {
  switch (i % 5) {
    case 0:
      return str("video", 40 + i, "_1");
    case 1:
      return str(100 + i, "-30-1280x720");
    case 2:
      return str("video", i, "_left");
    case 3:
      return str(100 + i, "-25-1280x720_left");
    default:
      return str(197 + i);
  }
}

std::string frame_name(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(5 - std::min<std::size_t>(digits.size(), 5), '0') + digits + ".jpg";
}

// An expression that comes and goes during some frames of a video.
struct Episode {
  int label;
  std::int64_t length;
};

std::vector<Episode> make_episodes(std::int64_t frames, const Shares& shares, Generator& random) {
  constexpr std::int64_t usual = 8;
  const auto frame_counts = in_proportion(frames, shares.expressions);
  std::vector<std::int64_t> episode_counts;
  for (const std::int64_t count : frame_counts)
    episode_counts.push_back((count + usual - 1) / usual);
  std::vector<std::int64_t> left = frame_counts;
  std::vector<Episode> episodes;
  for (const int label : shuffled_labels(episode_counts, random)) {
    auto& rest = left[static_cast<std::size_t>(label)];
    episodes.push_back({label, std::min(usual, rest)});
    rest -= episodes.back().length;
  }
  return episodes;
}

struct Frame {
  std::int64_t video;
  std::string name;  // VIDEO/FRAME.jpg
  int label;
  Portrait portrait;
};

class MtlSet {
 public:
  MtlSet(const AbawMtlOptions& options, std::uint64_t number, std::int64_t frames,
         std::int64_t first_video, const Shares& shares)
      : options_(options),
        shares_(shares),
        random_(Generator(options.set.seed).stream(4, number)),
        videos_((frames + options.frames - 1) / options.frames),
        first_video_(first_video),
        studio_(random_, {.people = videos_, .label_noise = options.set.label_noise}) {
    Generator order = random_.stream(9);
    std::int64_t episode_number = 0;
    for (const Episode& episode : make_episodes(frames, shares, order)) {
      const Generator episode_random =
          random_.stream(8, static_cast<std::uint64_t>(episode_number++));
      for (std::int64_t k = 0; k < episode.length; ++k)
        add_frame(episode, k, episode_random, order);
    }
  }

  std::int64_t videos() const { return videos_; }

  // Pictures and OpenFace's files below OUT/`folder`.
  void write(const std::string& name, const std::string& folder) const {
    const std::string root = options_.set.out + '/' + folder;
    write_each(name, std::ssize(frames_), [&](std::int64_t i) {
      Frame frame = frames_[static_cast<std::size_t>(i)];
      const int quality = frame.portrait.shot.jpeg_quality;
      Generator noise = studio_.numbers(i);
      const int side =
          static_cast<int>(static_cast<float>(options_.set.size) * between(noise, 1.0f, 1.4f));
      write_jpeg(root + "cropped/" + frame.name, paint(frame.portrait, side, noise), quality);
      frame.portrait.shot = aligned(frame.portrait);
      write_jpeg(root + "cropped_aligned/" + frame.name,
                 paint(frame.portrait, options_.set.size, noise), quality);
    });
    write_openface(root + "openface_aus_cropped_aligned/");
    say(str(name, ": ", frames_.size(), " frames of ", videos_, " videos"));
  }

  // The list of the set: with labels, or names alone.
  void write_list(const std::string& name, bool labels) const {
    Generator random = random_.stream(7);
    std::vector<std::string> lines;
    for (const Frame& frame : frames_) {
      lines.push_back(labels ? annotation(frame, random) : frame.name);
      const bool last = &frame == &frames_.back() && lines.size() == frames_.size();
      if (chance(random, shares_.repeated) || last)  // at least one
        lines.push_back(labels ? annotation(frame, random) : frame.name);
    }
    lines.insert(lines.begin(), "image,valence,arousal,expression,aus");
    write_lines(options_.set.out + '/' + name, lines);
  }

 private:
  void add_frame(const Episode& episode, std::int64_t k, Generator episode_random,
                 Generator& order) {
    const auto i = std::ssize(frames_);
    const std::int64_t video = i / options_.frames, at = i % options_.frames;
    frame_number_ = at == 0 ? 1 : frame_number_ + 1 + static_cast<std::int64_t>(order.below(4));
    const float phase = (static_cast<float>(k) + 0.5f) / static_cast<float>(episode.length);
    const float strength =
        between(episode_random, 0.7f, 1.0f) * (0.45f + 0.55f * std::sin(3.14159265f * phase));
    const Emotion shown =
        mistaken_for(emotion_of(episode.label), options_.set.label_noise, episode_random);
    Portrait portrait = studio_.portrait(video, Emotion::neutral);  // the video's shot
    portrait.person = studio_.person(video);
    portrait.expression = draw_expression(shown, strength, episode_random);
    blur_affect(portrait.expression, options_.set.label_noise, episode_random);
    const float time = static_cast<float>(frame_number_);
    const float own = static_cast<float>(video % 7);
    portrait.shot.yaw += 0.18f * std::sin(0.11f * time + own);
    portrait.shot.pitch += 0.08f * std::sin(0.07f * time + 2 * own);
    portrait.shot.roll += 0.08f * std::sin(0.05f * time + 3 * own);
    frames_.push_back({video, video_name(first_video_ + video) + '/' + frame_name(frame_number_),
                       episode.label, portrait});
  }

  // What is not labelled is -5 or -1; one value that is missing spoils its group.
  std::string annotation(const Frame& frame, Generator& random) const {
    const Expression& e = frame.portrait.expression;
    const bool affect = chance(random, shares_.affect);
    const bool expression = chance(random, shares_.expression);
    const bool units = chance(random, shares_.action_units);
    const bool all_missing = chance(random, 0.75f);
    std::string line = frame.name;
    line += ',' + (affect || !all_missing ? decimal(e.valence, 4) : "-5");
    line += ',' + (affect ? decimal(e.arousal, 4) : "-5");
    line += ',' + std::to_string(expression ? frame.label : -1);
    for (const int unit : affect::abaw_action_units) {
      const bool missing = !units && (all_missing || unit == 26);
      line += missing ? ",-1" : e.au(unit) >= au_present ? ",1" : ",0";
    }
    return line;
  }

  void write_openface(const std::string& folder) const {
    for (std::int64_t video = 0; video < videos_; ++video) {
      std::vector<Expression> expressions;
      for (const Frame& frame : frames_)
        if (frame.video == video) expressions.push_back(frame.portrait.expression);
      Generator random = random_.stream(6, static_cast<std::uint64_t>(video));
      write_lines(
          folder + video_name(first_video_ + video) + ".csv",
          openface_lines(expressions, {.failures = shares_.failures, .old_version = video % 3 == 2},
                         random));
    }
  }

  const AbawMtlOptions& options_;
  const Shares& shares_;
  Generator random_;
  std::int64_t videos_, first_video_;
  Studio studio_;
  std::vector<Frame> frames_;
  std::int64_t frame_number_ = 0;
};

}  // namespace

void write_abaw_mtl(const AbawMtlOptions& options) {
  check_new(options.set.out);
  const MtlSet train(options, 0, options.train, 0, train_shares);
  const MtlSet validation(options, 1, options.validation, train.videos(), validation_shares);
  const MtlSet test(options, 2, options.test, train.videos() + validation.videos(), test_shares);
  train.write("mtl train", "");
  validation.write("mtl validation", "");
  test.write("mtl test", "mtl_test_data/");
  train.write_list("training_set_annotations.txt", true);
  validation.write_list("validation_set_annotations.txt", true);
  test.write_list("MTL_Challenge_test_set_release.txt", false);
}

}  // namespace mien::synth
