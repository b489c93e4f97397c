#pragma once
// Curves of a run as an SVG file: loss or a metric over the steps, for training and validation.

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mien/train/axis.hpp>
#include <mien/train/curve_points.hpp>
#include <mien/train/record.hpp>
#include <mien/train/svg.hpp>

namespace mien::train {

struct Curve {
  std::string name;
  std::vector<Point> points;  // what is not finite leaves a gap
};

struct CurvesOptions {
  std::string title = {};
  std::string x_label = "step";
  std::string y_label = {};
  bool log_y = false;  // values of 0 and below leave gaps
  double width = 720, height = 400;
};

// One curve per phase that has `value`, over the steps.
inline std::vector<Curve> curves_of(std::span<const Record> records, std::string_view value) {
  std::vector<Curve> curves;
  for (const Record& record : records)
    for (const auto& [name, number] : record.values) {
      if (name != value) continue;
      auto curve = std::find_if(curves.begin(), curves.end(),
                                [&](const Curve& c) { return c.name == record.phase; });
      if (curve == curves.end()) curve = curves.insert(curve, {record.phase, {}});
      curve->points.push_back({static_cast<double>(record.step), number});
    }
  return curves;
}

namespace detail {

// Told apart by most people with a colour vision deficiency; curves beyond are dashed.
constexpr std::array<std::string_view, 6> curve_colours = {"#1f6fb4", "#d9601a", "#2a9d5c",
                                                           "#a03a8e", "#8a6d3b", "#5f6b7a"};

inline SvgStroke curve_stroke(std::size_t i) {
  const bool dashed = i / curve_colours.size() % 2 == 1;
  return {.colour = curve_colours[i % curve_colours.size()],
          .width = 1.6,
          .dashes = dashed ? "6 3" : ""};
}

class CurvesDrawing {
 public:
  CurvesDrawing(std::span<const Curve> curves, const CurvesOptions& options)
      : curves_(curves), options_(options) {
    for (const Curve& curve : curves)
      for (const Point& point : curve.points)
        if (shown(point)) {
          x_range_.add(point.x);
          y_range_.add(point.y);
          whole_x_ = whole_x_ && point.x == std::floor(point.x);
        }
  }

  std::string document() {
    double top = 14;
    if (!options_.title.empty()) {
      top += 16;
      const int columns = static_cast<int>((options_.width - 40) / text_width("x", 15));
      svg_.text({options_.width / 2, top}, clipped(options_.title, columns),
                {.size = 15, .anchor = "middle", .bold = true});
      top += 8;
    }
    const double legend_end = legend(top);
    // Rows of the legend beyond the first make the drawing higher, not the plot lower.
    const double height = options_.height + std::max(0.0, legend_end - top - legend_row);
    top = legend_end + 8;
    const double bottom = height - 46;
    if (x_range_.empty()) {
      svg_.text({options_.width / 2, (top + bottom) / 2}, "no values", {.anchor = "middle"});
    } else {
      const Axis y = y_axis(top, bottom);
      const Axis x = axes(y, top, bottom);
      for (std::size_t i = 0; i < curves_.size(); ++i) draw(curves_[i], curve_stroke(i), x, y);
    }
    if (any_noisy_)
      svg_.text({options_.width - 30, height - 10}, "lines: running means",
                {.size = 10, .anchor = "end", .colour = "#777"});
    return svg_.document(options_.width, height);
  }

 private:
  static constexpr double legend_row = 18;

  bool shown(const Point& point) const {
    return std::isfinite(point.x) && std::isfinite(point.y) && (!options_.log_y || point.y > 0);
  }

  // Names with a piece of their line, in as many rows as they need; returns where these end.
  double legend(double top) {
    constexpr double size = 12, sample = 22, left = 20;
    const double right = options_.width - 20;
    const int longest = static_cast<int>((right - left - sample - 8) / text_width("x", size));
    double x = left, y = top;
    for (std::size_t i = 0; i < curves_.size(); ++i) {
      const std::string name = clipped(curves_[i].name, longest);
      const double width = sample + 8 + text_width(name, size) + 16;
      if (i == 0 || (x + width - 16 > right && x > left)) {
        x = left;
        y += legend_row;
      }
      svg_.line({x, y - 4}, {x + sample, y - 4}, curve_stroke(i));
      svg_.text({x + sample + 8, y}, name, {.size = size});
      x += width;
    }
    return y;
  }

  Axis y_axis(double top, double bottom) const {
    double low = y_range_.low, high = y_range_.high;
    if (low < high && options_.log_y) {
      const double margin = std::pow(high / low, 0.04);
      low /= margin;
      high *= margin;
    } else if (low < high) {
      const double margin = 0.04 * (high - low);
      low -= margin;
      high += margin;
    }
    return {low, high, bottom, top, options_.log_y};
  }

  // Draws the grid, ticks and labels; the labels of y decide where x begins.
  Axis axes(const Axis& y, double top, double bottom) {
    constexpr double size = 11;
    const SvgStroke grid{.colour = "#e6e6e6"}, frame{.colour = "#888"};
    const auto y_ticks = y.ticks(std::max(2, static_cast<int>((bottom - top) / 34)));
    double label_width = 0;
    for (const auto& tick : y_ticks)
      label_width = std::max(label_width, text_width(tick.label, size));
    const double left = 18 + (options_.y_label.empty() ? 0 : 20) + label_width;
    const double right = options_.width - 30;
    const Axis x(x_range_.low, x_range_.high, left, right);

    for (const auto& tick : y_ticks) {
      const double at = y.pixel(tick.value);
      svg_.line({left, at}, {right, at}, grid);
      svg_.text({left - 6, at + 4}, tick.label, {.size = size, .anchor = "end"});
    }
    for (const auto& tick : x.ticks(std::max(2, static_cast<int>((right - left) / 75)), whole_x_)) {
      const double at = x.pixel(tick.value);
      svg_.line({at, top}, {at, bottom}, grid);
      svg_.text({at, bottom + 16}, tick.label, {.size = size, .anchor = "middle"});
    }
    svg_.line({left, bottom}, {right, bottom}, frame);
    svg_.line({left, top}, {left, bottom}, frame);
    svg_.text({(left + right) / 2, bottom + 36}, options_.x_label, {.anchor = "middle"});
    svg_.text({22, (top + bottom) / 2}, options_.y_label, {.anchor = "middle", .rotation = -90});
    return x;
  }

  void draw(const Curve& curve, const SvgStroke& stroke, const Axis& x, const Axis& y) {
    std::vector<Point> run;
    const bool few = curve.points.size() <= 40;
    const auto end_run = [&] {
      const bool noise = noisy(run);
      any_noisy_ = any_noisy_ || noise;
      SvgStroke each = stroke;
      if (noise) each.opacity = 0.25;
      if (run.size() > 1) svg_.line(thinned(run), each);
      if (noise) svg_.line(thinned(running_means(run)), stroke);
      for (const Point& point : run)
        if (few || run.size() == 1) svg_.circle(point, 2.5, stroke.colour);
      run.clear();
    };
    for (const Point& point : curve.points) {
      if (shown(point))
        run.push_back({x.pixel(point.x), y.pixel(point.y)});
      else
        end_run();
    }
    end_run();
  }

  std::span<const Curve> curves_;
  const CurvesOptions& options_;
  Svg svg_;
  Range x_range_, y_range_;
  bool whole_x_ = true;     // steps and epochs: no ticks between them
  bool any_noisy_ = false;  // a curve is drawn faintly, with its running mean
};

}  // namespace detail

inline std::string curves_svg(std::span<const Curve> curves, const CurvesOptions& options = {}) {
  return detail::CurvesDrawing(curves, options).document();
}

}  // namespace mien::train
