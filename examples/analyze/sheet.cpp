#include "sheet.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace mien::programs {
namespace {

namespace fs = std::filesystem;
using train::fixed;

constexpr std::size_t columns = 12;
// Pixels. A cell holds a square of `side` and three lines of text.
constexpr double margin = 24, top = 84, cell_width = 140, cell_height = 196, side = 124;
constexpr double least_width = 620;  // what the heading takes
constexpr std::string_view black = "#222", grey = "#666", green = "#15803d", red = "#c81e1e";

// The name of the folder that holds `image`.
std::string folder_of(const std::string& image) {
  return fs::absolute(image).lexically_normal().parent_path().filename().string();
}

std::string with_sign(float value) {
  const std::string text = fixed(value, 2);
  return text.starts_with('-') ? text : '+' + text;
}

// A line in the middle of a cell.
void caption(train::Svg& drawing, train::Point at, const std::string& text, double size,
             std::string_view colour) {
  const int fitting = static_cast<int>(cell_width / train::text_width("x", size));
  drawing.text(at, train::clipped(text, fitting),
               {.size = size, .anchor = "middle", .colour = colour, .bold = size > 12});
}

}  // namespace

void Sheet::add(const Face& face) {
  const train::Point corner{margin + cell_width * static_cast<double>(faces_ % columns),
                            top + cell_height * static_cast<double>(faces_ / columns)};
  const double middle = corner.x + side / 2, bottom = corner.y + side;
  ++faces_;
  drawing_.rectangle(corner, side, side, "#f3f4f6");
  drawing_.image(corner, side, side, face.thumbnail, face.image);

  const models::Affect& affect = face.affect;
  const std::string& emotion = class_order_[affect.emotion];
  std::string_view colour = black;
  const std::string truth = folder_of(face.image);
  if (std::find(class_order_.begin(), class_order_.end(), truth) != class_order_.end()) {
    const bool right = truth == emotion;
    colour = right ? green : red;
    ++known_;
    right_ += right;
    drawing_.rectangle({corner.x, bottom}, side, 4, colour);
    caption(drawing_, {middle, bottom + 52}, right ? "right" : "is " + truth, 11, colour);
  }
  caption(drawing_, {middle, bottom + 20},
          str(emotion, ' ', fixed(100 * affect.scores[affect.emotion], 0), " %"), 13, colour);
  if (affect.logits.size() > class_order_.size())
    caption(drawing_, {middle, bottom + 36},
            str("V ", with_sign(affect.valence), ", A ", with_sign(affect.arousal)), 11, grey);
}

void Sheet::write(const std::string& path) const {
  check(faces_ > 0, path, "is not written: there are no faces");
  train::Svg page = drawing_;
  std::string title = str(faces_, faces_ == 1 ? " face" : " faces");
  std::string legend = "Emotion and its probability, V: valence, A: arousal.";
  if (known_ > 0) {
    title += str(", ", right_, " of ", known_, " expressions right");
    legend += " The true expression is the folder's name.";
  }
  page.text({margin, 40}, title, {.size = 20, .bold = true});
  page.text({margin, 62}, legend, {.size = 12, .colour = grey});
  const auto across = static_cast<double>(std::min(faces_, columns));
  const auto down = static_cast<double>((faces_ + columns - 1) / columns);
  train::save_text(path, page.document(2 * margin + std::max(cell_width * across, least_width),
                                       top + cell_height * down));
}

}  // namespace mien::programs
