// Plain pictures with their labels, and contact sheets.

#include <cstring>
#include <string>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/data/image_encode.hpp>

#include "files.hpp"
#include "layouts.hpp"
#include "studio.hpp"

namespace mien::synth {
namespace {

std::string label_line(const std::string& name, const Expression& e) {
  std::string line = name + ',' + emotion_names[static_cast<std::size_t>(e.emotion)] + ',' +
                     decimal(e.valence, 4) + ',' + decimal(e.arousal, 4);
  for (const float intensity : e.aus) line += ',' + decimal(intensity, 2);
  return line;
}

void copy_into(data::Image& sheet, const data::Image& picture, std::int64_t row,
               std::int64_t column) {
  const auto side = picture.width();
  for (std::int64_t y = 0; y < side; ++y) {
    const auto from = std::as_const(picture).row<std::uint8_t>(y);
    const auto to = sheet.row<std::uint8_t>(row * side + y);
    std::memcpy(&to[static_cast<std::size_t>(3 * column * side)], from.data(), from.size());
  }
}

}  // namespace

void write_faces(const FacesOptions& options) {
  const SetOptions& set = options.set;
  const Studio studio(Generator(set.seed).stream(1), {.people = 1 + options.count / set.per_person,
                                                      .label_noise = set.label_noise});
  std::vector<std::string> lines(static_cast<std::size_t>(options.count) + 1);
  lines[0] = "image,expression,valence,arousal";
  for (const int number : au_numbers) lines[0] += ",AU" + std::to_string(number);
  write_each("faces", options.count, [&](std::int64_t i) {
    const auto label = static_cast<Emotion>(i % 8);
    const Portrait portrait = studio.portrait(i, label);
    Generator noise = studio.numbers(i);
    std::string digits = std::to_string(i);
    digits.insert(0, 5 - std::min<std::size_t>(digits.size(), 5), '0');
    const std::string name = "images/face_" + digits + ".jpg";
    write_jpeg(set.out + '/' + name, paint(portrait, set.size, noise), portrait.shot.jpeg_quality);
    Expression labelled = portrait.expression;
    labelled.emotion = label;
    lines[static_cast<std::size_t>(i) + 1] = label_line(name, labelled);
  });
  write_lines(set.out + "/labels.csv", lines);
  say(str(options.count, " faces in ", set.out, "/images, labels in ", set.out, "/labels.csv"));
}

void write_sheet(const SheetOptions& options) {
  const SetOptions& set = options.set;
  const Studio studio(Generator(set.seed).stream(1), {.people = options.columns});
  const auto rows = static_cast<std::int64_t>(options.action_units ? au_count : emotion_count);
  data::Image sheet(options.columns * set.size, rows * set.size, 3);
  parallel_for(rows * options.columns, 1, [&](std::int64_t i, std::int64_t) {
    const std::int64_t row = i / options.columns, column = i % options.columns;
    Portrait portrait = studio.portrait(i, static_cast<Emotion>(options.action_units ? 0 : row));
    portrait.person = studio.person(column);
    if (options.action_units) {  // a plain view of the unit alone
      portrait.expression = single_au(static_cast<Au>(row), 1);
      portrait.shot = {.scale = portrait.shot.scale};
    }
    Generator noise = studio.numbers(i);
    copy_into(sheet, paint(portrait, set.size, noise), row, column);
  });
  data::write_image(set.out, sheet);
  std::string names;
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
    names += options.action_units ? str(" AU", au_numbers[row]) : str(' ', emotion_names[row]);
  say(set.out + ": a row for each of" + names);
}

}  // namespace mien::synth
