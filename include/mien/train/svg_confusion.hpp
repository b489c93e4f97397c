#pragma once
// A confusion matrix as an SVG file: true classes downwards, predicted ones to the right. A cell
// shows its share of the true class, which its colour follows too, and its count.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/train/svg.hpp>

namespace mien::train {

struct ConfusionOptions {
  std::string title = {};
  std::string row_label = "true class";
  std::string column_label = "predicted class";
};

namespace detail {

// White over blue to almost black, as "#rrggbb".
inline std::string share_colour(double share) {
  struct Stop {
    double share;
    std::array<double, 3> rgb;
  };
  constexpr std::array<Stop, 4> stops = {
      {{0, {255, 255, 255}}, {0.3, {182, 212, 238}}, {0.7, {58, 129, 193}}, {1, {11, 61, 115}}}};
  std::size_t i = 0;
  while (i + 2 < stops.size() && share > stops[i + 1].share) ++i;
  const double along = (share - stops[i].share) / (stops[i + 1].share - stops[i].share);
  std::string colour = "#";
  for (std::size_t c = 0; c < 3; ++c) {
    const double level = stops[i].rgb[c] + along * (stops[i + 1].rgb[c] - stops[i].rgb[c]);
    const auto byte = static_cast<unsigned>(std::lround(std::clamp(level, 0.0, 255.0)));
    colour += "0123456789abcdef"[byte / 16];
    colour += "0123456789abcdef"[byte % 16];
  }
  return colour;
}

class ConfusionDrawing {
 public:
  ConfusionDrawing(std::span<const std::int64_t> counts, std::span<const std::string> names,
                   const ConfusionOptions& options)
      : counts_(counts), options_(options), classes_(names.size()) {
    cell_ = classes_ <= 12 ? 56 : std::max(14.0, 672.0 / static_cast<double>(classes_));
    name_size_ = std::min(12.0, 0.7 * cell_);
    for (const std::string& name : names) {
      names_.push_back(clipped(name, 32));
      name_width_ = std::max(name_width_, text_width(names_.back(), name_size_));
    }
    // Names of columns stand at 45 degrees and reach to the left.
    const double slanted = 0.71 * name_width_ + 10;
    left_ = std::max(34 + name_width_ + 10, slanted - cell_ / 2 + 10);
    top_ = options.title.empty() ? 20 : 48;
    size_ = cell_ * static_cast<double>(classes_);
    width_ = left_ + size_ + 150;
    height_ = top_ + size_ + slanted + 36;
  }

  std::string document() const {
    Svg svg;
    if (!options_.title.empty()) {
      const int columns = static_cast<int>((width_ - 40) / text_width("x", 15));
      svg.text({width_ / 2, 28}, clipped(options_.title, columns),
               {.size = 15, .anchor = "middle", .bold = true});
    }
    for (std::size_t row = 0; row < classes_; ++row) draw_row(svg, row);
    draw_frame(svg);
    draw_scale(svg);
    return svg.document(width_, height_);
  }

 private:
  double at(std::size_t i) const { return cell_ * static_cast<double>(i); }

  void draw_row(Svg& svg, std::size_t row) const {
    const auto counts = counts_.subspan(row * classes_, classes_);
    std::int64_t total = 0;
    for (const std::int64_t count : counts) total += count;
    for (std::size_t column = 0; column < classes_; ++column) {
      const double share =
          total > 0 ? static_cast<double>(counts[column]) / static_cast<double>(total) : 0;
      const Point corner{left_ + at(column), top_ + at(row)};
      svg.rectangle(corner, cell_, cell_, total > 0 ? share_colour(share) : "#f4f4f4");
      const std::string_view colour = share > 0.5 ? "#fff" : "#222";
      const Point middle{corner.x + cell_ / 2, corner.y + cell_ / 2};
      if (cell_ >= 48) {
        svg.text({middle.x, middle.y}, total > 0 ? fixed(100 * share, 1) + '%' : "-",
                 {.size = 12.5, .anchor = "middle", .colour = colour, .bold = row == column});
        const std::string count = std::to_string(counts[column]);
        const double fitting = (cell_ - 6) / text_width(count, 1);  // large counts are set smaller
        svg.text({middle.x, middle.y + 15}, count,
                 {.size = std::min(10.0, fitting), .anchor = "middle", .colour = colour});
      } else if (cell_ >= 26 && total > 0) {
        svg.text({middle.x, middle.y + 4}, fixed(100 * share, 0),
                 {.size = 10, .anchor = "middle", .colour = colour});
      }
    }
    svg.text({left_ - 8, top_ + at(row) + cell_ / 2 + 4}, names_[row],
             {.size = name_size_, .anchor = "end"});
    svg.text({left_ + size_ + 8, top_ + at(row) + cell_ / 2 + 4}, str("n = ", total),
             {.size = std::min(11.0, name_size_), .colour = "#777"});
  }

  void draw_frame(Svg& svg) const {
    const SvgStroke frame{.colour = "#888"};
    const double right = left_ + size_, bottom = top_ + size_;
    svg.line(
        std::vector<Point>{
            {left_, top_}, {right, top_}, {right, bottom}, {left_, bottom}, {left_, top_}},
        frame);
    for (std::size_t column = 0; column < classes_; ++column)
      svg.text({left_ + at(column) + cell_ / 2 + 4, bottom + 14}, names_[column],
               {.size = name_size_, .anchor = "end", .rotation = -45});
    svg.text({20, top_ + size_ / 2}, options_.row_label, {.anchor = "middle", .rotation = -90});
    svg.text({left_ + size_ / 2, height_ - 12}, options_.column_label, {.anchor = "middle"});
  }

  // What the colours mean.
  void draw_scale(Svg& svg) const {
    constexpr int steps = 50;
    const double x = width_ - 58, height = std::min(size_, 280.0);
    for (int i = 0; i < steps; ++i)
      svg.rectangle({x, top_ + height * (steps - 1 - i) / steps}, 14, height / steps + 0.5,
                    share_colour((i + 0.5) / steps));
    for (const int percent : {0, 25, 50, 75, 100})
      svg.text({x + 20, top_ + height * (100 - percent) / 100 + 4}, str(percent, '%'),
               {.size = 10});
  }

  std::span<const std::int64_t> counts_;
  const ConfusionOptions& options_;
  std::size_t classes_;
  std::vector<std::string> names_;
  double name_size_ = 0, name_width_ = 0, cell_ = 0, left_ = 0, top_ = 0, size_ = 0, width_ = 0,
         height_ = 0;
};

}  // namespace detail

// counts: (classes, classes), row-major, a row per true class.
inline std::string confusion_svg(std::span<const std::int64_t> counts,
                                 std::span<const std::string> names,
                                 const ConfusionOptions& options = {}) {
  check(!names.empty() && counts.size() == names.size() * names.size(), "confusion matrix",
        "expected ", names.size() * names.size(), " counts for ", names.size(), " classes, got ",
        counts.size());
  for (const std::int64_t count : counts)
    check(count >= 0, "confusion matrix", "expected no negative count, got ", count);
  return detail::ConfusionDrawing(counts, names, options).document();
}

}  // namespace mien::train
