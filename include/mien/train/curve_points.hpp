#pragma once
// What is drawn of a curve's points: fewer of them, and means where they are noisy. All in pixels.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <mien/train/svg.hpp>

namespace mien::train::detail {

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

// Of all points within one column of pixels, the first, the lowest, the highest and the last:
// what is drawn is the same, and the file small. x may not decrease.
inline std::vector<Point> thinned(std::span<const Point> points) {
  std::vector<Point> kept;
  for (std::size_t first = 0; first < points.size();) {
    std::size_t end = first + 1, low = first, high = first;
    for (; end < points.size() && std::floor(points[end].x) == std::floor(points[first].x); ++end) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    std::array<std::size_t, 4> extremes = {first, low, high, end - 1};
    std::sort(extremes.begin(), extremes.end());
    const auto last = std::unique(extremes.begin(), extremes.end());
    for (auto i = extremes.begin(); i != last; ++i) kept.push_back(points[*i]);
    first = end;
  }
  return kept;
}

// Whether a line goes up and down so often that its course cannot be seen.
inline bool noisy(std::span<const Point> points) {
  if (points.size() < 100) return false;
  Range range;
  double way = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    range.add(points[i].y);
    if (i > 0) way += std::abs(points[i].y - points[i - 1].y);
  }
  return way > 10 * (range.high - range.low);
}

// Means over 2% of the points, half before and half after each.
inline std::vector<Point> running_means(std::span<const Point> points) {
  const std::size_t n = points.size(), reach = n / 100 + 1;
  std::vector<double> sums(n + 1, 0.0);
  for (std::size_t i = 0; i < n; ++i) sums[i + 1] = sums[i] + points[i].y;
  std::vector<Point> means;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t first = i - std::min(i, reach), end = std::min(i + reach + 1, n);
    means.push_back({points[i].x, (sums[end] - sums[first]) / static_cast<double>(end - first)});
  }
  return means;
}

}  // namespace mien::train::detail
