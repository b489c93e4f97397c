// AffectNet (Mollahosseini et al., "AffectNet: a database for facial expression, valence, and
// arousal computing in the wild", IEEE TAC 2019), in the forms that its users have on disk:
//
//   training.csv, validation.csv, Manually_Annotated_Images/DIR/HASH.jpg     release of 2017
//   {train,val}_set/{images/ID.jpg,annotations/ID_{exp,val,aro,lnd}.npy}     release of 2021
//   {training,validation}_filtered.csv,
//   {full_res,full_res_aligned,224}/{train,val}/EMOTION/HASH.jpg
//   .../seven_emotions/{train,val}/EMOTION -> ../../{train,val}/EMOTION      without Contempt
//
// Classes are as unbalanced as there, and rows without use are as frequent.

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <mien/affect/label_orders.hpp>
#include <mien/data/resize_opencv.hpp>

#include "files.hpp"
#include "framing.hpp"
#include "layouts.hpp"
#include "studio.hpp"

namespace mien::synth {
namespace {

namespace fs = std::filesystem;

constexpr int first_unusable = 8, uncertain = 9, no_face = 10;

// Training images by label: eight classes, then None, Uncertain and No-face.
constexpr std::array<double, 11> published_counts = {74874, 134416, 25459, 14090, 6378, 3803,
                                                     24882, 3750,   33088, 11645, 82415};

struct Row {
  int label;
  bool box = true;                     // else face_width is -1
  std::string folder = {}, hash = {};  // Manually_Annotated_Images/FOLDER/HASH.jpg
  std::int64_t id = -1;                // in the release of 2021
  bool repeats_a_name = false;         // its face has the name of another one of its class
};

std::string hexadecimal(Generator& random, int digits) {
  std::string text;
  for (int i = 0; i < digits; ++i) text += "0123456789abcdef"[random.below(16)];
  return text;
}

std::vector<std::int64_t> train_counts(std::int64_t usable) {
  const std::span<const double> published(published_counts);
  auto counts = in_proportion(usable, published.first(8));
  double sum = 0;
  for (const double count : published.first(8)) sum += count;
  for (const double count : published.subspan(8))
    counts.push_back(1 + static_cast<std::int64_t>(static_cast<double>(usable) * count / sum));
  return counts;
}

// The official validation set has as many of each of the eleven labels.
std::vector<std::int64_t> validation_counts(std::int64_t usable) {
  std::vector<std::int64_t> counts = in_proportion(usable, std::vector<double>(8, 1.0));
  counts.insert(counts.end(), 3, usable / 8);
  return counts;
}

std::vector<Row> make_rows(const std::vector<std::int64_t>& counts, bool train, Generator random) {
  std::vector<Row> rows;
  std::int64_t ids = 0;
  std::array<std::optional<std::size_t>, 8> first_of_class;
  bool repeated = false;
  const std::vector<int> labels = shuffled_labels(counts, random);
  for (const int label : labels) {
    Row row{.label = label};
    const std::uint64_t folder = random.below(1 + labels.size() / 100);
    row.folder = std::to_string(folder + 1);
    row.hash = hexadecimal(random, 56);
    if (label < first_unusable) {
      row.id = ids++;
      auto& first = first_of_class[static_cast<std::size_t>(label)];
      if (train && first && !repeated) {
        repeated = row.repeats_a_name = true;
        row.hash = rows[*first].hash;
        row.folder = rows[*first].folder + "0";
      }
      if (!first) first = rows.size();
    }
    rows.push_back(row);
  }
  // Some usable labels have no face box.
  const std::size_t without_box = train ? 1 + rows.size() / 500 : 0;
  for (std::size_t i = 0; i < without_box; ++i)
    rows.push_back({.label = static_cast<int>(random.below(8)),
                    .box = false,
                    .folder = "1",
                    .hash = hexadecimal(random, 56)});
  return rows;
}

// The whole picture in which a face is found.
ShotRange whole_picture() {
  return {.yaw = 0.5f,
          .pitch = 0.26f,
          .roll = 0.3f,
          .scale = 0.35f,
          .scale_spread = 0.25f,
          .offset = 0.14f};
}

class Split {
 public:
  Split(const AffectNetOptions& options, bool train)
      : options_(options),
        name_(train ? "train" : "val"),
        usable_(train ? options.train : options.validation),
        random_(Generator(options.set.seed).stream(2, train ? 0 : 1)),
        studio_(random_, {.people = 1 + usable_ / options.set.per_person,
                          .shots = whole_picture(),
                          .label_noise = options.set.label_noise}),
        rows_(make_rows(train ? train_counts(usable_) : validation_counts(usable_), train,
                        random_.stream(9))),
        csv_lines_(rows_.size()),
        filtered_lines_(rows_.size()) {}

  void write() {
    write_each("affectnet " + name_, static_cast<std::int64_t>(rows_.size()),
               [&](std::int64_t i) { write_row(static_cast<std::size_t>(i)); });
    const std::string stem = path(name_ == "train" ? "training" : "validation");
    if (options_.release_2017) {
      csv_lines_.insert(csv_lines_.begin(),
                        "subDirectory_filePath,face_x,face_y,face_width,face_height,"
                        "facial_landmarks,expression,valence,arousal");
      write_lines(stem + ".csv", csv_lines_);
    }
    if (options_.folders) {
      std::erase(filtered_lines_, "");
      filtered_lines_.insert(filtered_lines_.begin(), "filepath,emotion,valence,arousal");
      write_lines(stem + "_filtered.csv", filtered_lines_);
      for (const char* kind : {"full_res", "full_res_aligned", "224"}) link_seven(kind);
    }
    say(str(name_, ": ", usable_, " faces of the eight classes, ", rows_.size(), " rows"));
  }

 private:
  std::string path(const std::string& name) const { return options_.set.out + '/' + name; }

  void write_row(std::size_t i) {
    const Row& row = rows_[i];
    const bool usable = row.label < first_unusable && row.box;
    if (!usable && !options_.release_2017) return;
    const auto number = static_cast<std::int64_t>(i);
    const auto label = static_cast<Emotion>(std::min(row.label, 8));
    Portrait portrait = studio_.portrait(number, label);
    if (row.label == no_face) portrait.shot.center_y = 9;  // out of the picture
    Generator random = studio_.numbers(number);
    const int side =
        static_cast<int>(static_cast<float>(options_.set.size) * between(random, 1.2f, 1.7f));
    const data::Image picture = paint(portrait, side, random);
    const auto points = landmarks(portrait, side);
    const Box box = row.label == no_face ? Box{0, 0, side, side} : face_box(points, side);
    if (options_.release_2017) {
      const std::string name = row.folder + '/' + row.hash + ".jpg";
      write_jpeg(path("Manually_Annotated_Images/" + name), picture, portrait.shot.jpeg_quality);
      csv_lines_[i] = csv_line(name, row, box, points, portrait.expression);
    }
    if (!usable) return;
    const data::Image face = cropped(picture, box);
    const auto face_224 = [&] {
      return data::resize_opencv(face, 224, 224, data::OpenCvFilter::linear);
    };
    if (options_.release_2021) write_2021(row, face_224(), box, points, portrait);
    if (options_.folders) {
      const std::string emotion(affect::affectnet_labels[static_cast<std::size_t>(row.label)]);
      const std::string name = emotion + '/' + row.hash + ".jpg";
      filtered_lines_[i] = name + ',' + emotion + ',' + decimal(portrait.expression.valence, 6) +
                           ',' + decimal(portrait.expression.arousal, 6);
      if (row.repeats_a_name) return;
      const int quality = portrait.shot.jpeg_quality;
      const auto file = [&](const char* kind) { return path(kind) + '/' + name_ + '/' + name; };
      write_jpeg(file("full_res"), face, quality);
      write_jpeg(file("full_res_aligned"), turned(face, eye_angle(points)), quality);
      write_jpeg(file("224"), face_224(), quality);
    }
  }

  static std::string csv_line(const std::string& name, const Row& row, const Box& box,
                              const std::array<Point, 68>& points, const Expression& e) {
    std::string line = name;
    for (const int number : {box.x, box.y, row.box ? box.width : -1, row.box ? box.height : -1})
      line += ',' + decimal(number, 1);
    char separator = ',';
    for (const Point p : points) {
      line += separator + decimal(p.x, 2) + ';' + decimal(p.y, 2);
      separator = ';';
    }
    const bool rated = row.label < uncertain;
    return line + ',' + std::to_string(row.label) + ',' + decimal(rated ? e.valence : -2, 6) + ',' +
           decimal(rated ? e.arousal : -2, 6);
  }

  void write_2021(const Row& row, const data::Image& face, const Box& box,
                  const std::array<Point, 68>& points, const Portrait& portrait) const {
    const std::string set = path(name_ + "_set"), id = std::to_string(row.id);
    write_jpeg(set + "/images/" + id + ".jpg", face, portrait.shot.jpeg_quality);
    const std::string annotation = set + "/annotations/" + id;
    write_npy(annotation + "_exp.npy", std::to_string(row.label));
    write_npy(annotation + "_val.npy", decimal(portrait.expression.valence, 6));
    write_npy(annotation + "_aro.npy", decimal(portrait.expression.arousal, 6));
    std::vector<double> values;
    for (const Point p : points) {
      values.push_back(224.0 * (p.x - static_cast<float>(box.x)) / box.width);
      values.push_back(224.0 * (p.y - static_cast<float>(box.y)) / box.height);
    }
    write_npy(annotation + "_lnd.npy", values);
  }

  void link_seven(const std::string& kind) const {
    const fs::path folder = path(kind) + "/seven_emotions/" + name_;
    fs::create_directories(folder);
    for (const std::string_view emotion : affect::affectnet7_outputs)
      fs::create_directory_symlink(fs::path("../..") / name_ / emotion, folder / emotion);
  }

  const AffectNetOptions& options_;
  std::string name_;
  std::int64_t usable_;
  Generator random_;
  Studio studio_;
  std::vector<Row> rows_;
  std::vector<std::string> csv_lines_, filtered_lines_;
};

}  // namespace

void write_affectnet(const AffectNetOptions& options) {
  check_new(options.set.out);
  for (const bool train : {true, false}) Split(options, train).write();
}

}  // namespace mien::synth
