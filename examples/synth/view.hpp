#pragma once
// How head space is seen: turned by the pose, then projected without perspective.

#include "head.hpp"
#include "portrait.hpp"

namespace mien::synth {

class View {
 public:
  View(const Shot& shot, int side)
      : origin_x_(shot.center_x * static_cast<float>(side)),
        origin_y_(shot.center_y * static_cast<float>(side)),
        scale_(shot.scale * static_cast<float>(side)) {
    const float cy = std::cos(shot.yaw), sy = std::sin(shot.yaw), cp = std::cos(shot.pitch),
                sp = std::sin(shot.pitch), cr = std::cos(shot.roll), sr = std::sin(shot.roll);
    // roll * pitch * yaw: rows give the picture's x, y and depth of a point of the head.
    const Vec3 x{cy, 0, sy}, y{-sp * sy, cp, sp * cy}, z{-cp * sy, -sp, cp * cy};
    rows_ = {cr * x - sr * y, sr * x + cr * y, z};
  }

  float pixel() const { return 1 / scale_; }  // in units of head space

  // The pixel's place in units of head space, without the pose.
  Point at_pixel(float x, float y) const {
    return {(x - origin_x_) / scale_, (y - origin_y_) / scale_};
  }
  // The ray through that place, in head space.
  Ray ray(Point at) const { return {at.x * rows_[0] + at.y * rows_[1], rows_[2]}; }

  Vec3 turned(Vec3 p) const { return {dot(rows_[0], p), dot(rows_[1], p), dot(rows_[2], p)}; }
  // A direction of the picture, in head space.
  Vec3 to_head(Vec3 v) const { return v.x * rows_[0] + v.y * rows_[1] + v.z * rows_[2]; }

  Point from_place(Point at) const {
    return {origin_x_ + scale_ * at.x, origin_y_ + scale_ * at.y};
  }
  Point to_pixel(Vec3 p) const {
    const Vec3 seen = turned(p);
    return from_place({seen.x, seen.y});
  }

 private:
  float origin_x_, origin_y_, scale_;
  std::array<Vec3, 3> rows_;
};

}  // namespace mien::synth
