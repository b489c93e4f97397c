#include "framing.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "view.hpp"

namespace mien::synth {

Box face_box(const std::array<Point, 68>& points, int side) {
  float left = 1e9f, right = -1e9f, top = 1e9f, bottom = -1e9f;
  for (const Point p : points) {
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
  const float height = bottom - top, width = right - left;
  const auto inside = [&](float at) { return std::clamp(static_cast<int>(at), 0, side); };
  Box box{inside(left - 0.02f * width), inside(top - 0.22f * height), 0, 0};
  box.width = std::max(inside(right + 0.02f * width) - box.x, 1);
  box.height = std::max(inside(bottom + 0.04f * height) - box.y, 1);
  return box;
}

data::Image cropped(const data::Image& image, const Box& box) {
  data::Image out(box.width, box.height, 3);
  for (int y = 0; y < box.height; ++y)
    std::memcpy(out.row<std::uint8_t>(y).data(),
                &image.row<std::uint8_t>(box.y + y)[static_cast<std::size_t>(3 * box.x)],
                static_cast<std::size_t>(3 * box.width));
  return out;
}

data::Image turned(const data::Image& image, float angle) {
  const auto width = static_cast<int>(image.width()), height = static_cast<int>(image.height());
  const float cosine = std::cos(angle), sine = std::sin(angle);
  const float middle_x = 0.5f * static_cast<float>(width - 1),
              middle_y = 0.5f * static_cast<float>(height - 1);
  const auto at = [&](int x, int y, std::size_t c) {
    x = std::clamp(x, 0, width - 1), y = std::clamp(y, 0, height - 1);
    return static_cast<float>(image.row<std::uint8_t>(y)[3 * static_cast<std::size_t>(x) + c]);
  };
  data::Image out(width, height, 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const float dx = static_cast<float>(x) - middle_x, dy = static_cast<float>(y) - middle_y;
      const float sx = middle_x + cosine * dx + sine * dy, sy = middle_y - sine * dx + cosine * dy;
      const int i = static_cast<int>(std::floor(sx)), j = static_cast<int>(std::floor(sy));
      const float u = sx - static_cast<float>(i), v = sy - static_cast<float>(j);
      for (std::size_t c = 0; c < 3; ++c) {
        const float value = mix(mix(at(i, j, c), at(i + 1, j, c), u),
                                mix(at(i, j + 1, c), at(i + 1, j + 1, c), u), v);
        out.row<std::uint8_t>(y)[3 * static_cast<std::size_t>(x) + c] =
            static_cast<std::uint8_t>(value + 0.5f);
      }
    }
  return out;
}

float eye_angle(const std::array<Point, 68>& points) {
  const auto middle = [&](std::size_t first) {
    Point sum{0, 0};
    for (std::size_t i = first; i < first + 6; ++i)
      sum = {sum.x + points[i].x / 6, sum.y + points[i].y / 6};
    return sum;
  };
  const Point left = middle(36), right = middle(42);
  return std::atan2(right.y - left.y, right.x - left.x);
}

Shot aligned(const Portrait& portrait) {
  Shot shot = portrait.shot;
  shot.roll = 0;
  const Geometry geometry(portrait.person, portrait.expression);
  const float apart = 2 * geometry.eyes[0].center.x * std::cos(shot.yaw);
  shot.scale = 35.0f / 112 / apart;
  constexpr Vec3 between_eyes = {0, 0, 0.7f};
  const Vec3 seen = View(shot, 1).turned(between_eyes);
  shot.center_x = 0.5f - shot.scale * seen.x;
  shot.center_y = 52.0f / 112 - shot.scale * seen.y;
  return shot;
}

}  // namespace mien::synth
