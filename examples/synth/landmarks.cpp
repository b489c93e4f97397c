// Where the 68 points of the iBUG scheme are (Sagonas et al., "300 Faces in-the-Wild Challenge",
// ICCV Workshops 2013), read off the same lines that the painter draws along.

#include "portrait.hpp"
#include "view.hpp"

namespace mien::synth {
namespace {

class Landmarks {
 public:
  Landmarks(const Portrait& portrait, int side)
      : geometry_(portrait.person, portrait.expression),
        head_(portrait.person, geometry_),
        view_(portrait.shot, side),
        pixel_(view_.pixel()) {}

  std::array<Point, 68> all() {
    jaw();
    brows();
    nose();
    eyes();
    mouth();
    return points_;
  }

 private:
  void add(Point pixel) { points_[count_++] = pixel; }
  void on_face(float x, float y) { add(view_.to_pixel(head_.in_front_of(x, y))); }

  // From ear to ear along the outline that is seen: 17 rays from the middle of the head outwards,
  // each to where it leaves the head.
  void jaw() {
    const Vec3 middle = view_.turned({0, 0.1f, 0});
    for (int i = 0; i < 17; ++i) {
      const float angle = (static_cast<float>(i) / 16 * 1.06f - 0.03f) * 3.14159265f;
      const Vec3 outwards = view_.turned({-std::cos(angle), std::sin(angle), 0});
      const float size = std::hypot(outwards.x, outwards.y);
      float inside = 0.3f, outside = 1.4f;
      while (outside - inside > 0.25f * pixel_) {
        const float at = 0.5f * (inside + outside);
        const Point place{middle.x + at * outwards.x / size, middle.y + at * outwards.y / size};
        (head_.hit(view_.ray(place), pixel_) ? inside : outside) = at;
      }
      add(view_.from_place(
          {middle.x + inside * outwards.x / size, middle.y + inside * outwards.y / size}));
    }
  }

  void brows() {
    const auto along = [&](const Brow& brow, float t) {
      return brow.inner.x + t * (brow.outer.x - brow.inner.x);
    };
    for (int i = 4; i >= 0; --i) {
      const float x = along(geometry_.brows[0], static_cast<float>(i) / 4);
      on_face(-x, geometry_.brows[0].at(x));
    }
    for (int i = 0; i < 5; ++i) {
      const float x = along(geometry_.brows[1], static_cast<float>(i) / 4);
      on_face(x, geometry_.brows[1].at(x));
    }
  }

  void nose() {
    for (int i = 0; i < 4; ++i)
      on_face(0, mix(0.0f, geometry_.nose_tip, static_cast<float>(i) / 3));
    for (int i = -2; i <= 2; ++i)
      on_face(0.4f * static_cast<float>(i) * geometry_.nose_half_width,
              geometry_.nose_base - (i % 2 == 0 && i != 0 ? 0.012f : 0.0f));
  }

  // Clockwise from the corner that is left in the picture.
  void eyes() {
    const auto corner = [&](const Eye& eye, float mirror, float u, float off) {
      const float dx = u * eye.half_width;
      on_face(mirror * (eye.center.x + dx + eye.tilt * off), eye.center.y + off - eye.tilt * dx);
    };
    for (const float mirror : {-1.0f, 1.0f}) {
      const Eye& eye = geometry_.eyes[mirror < 0 ? 0 : 1];
      for (const float u : {-1.0f, -0.4f, 0.4f, 1.0f})
        corner(eye, mirror, mirror * u, eye.upper_lid(mirror * u));
      for (const float u : {0.4f, -0.4f})
        corner(eye, mirror, mirror * u, eye.lower_lid(mirror * u));
    }
  }

  void mouth() {
    const Mouth& m = geometry_.mouth;
    for (const float u : {-1.0f, -0.62f, -0.25f, 0.0f, 0.25f, 0.62f, 1.0f})
      on_face(m.x(u), m.upper_outer(u));
    for (const float u : {0.62f, 0.3f, 0.0f, -0.3f, -0.62f}) on_face(m.x(u), m.lower_outer(u));
    for (const float u : {-0.9f, -0.35f, 0.0f, 0.35f, 0.9f}) on_face(m.x(u), m.upper_inner(u));
    for (const float u : {0.35f, 0.0f, -0.35f}) on_face(m.x(u), m.lower_inner(u));
  }

  Geometry geometry_;
  Head head_;
  View view_;
  float pixel_;
  std::array<Point, 68> points_;
  std::size_t count_ = 0;
};

}  // namespace

std::array<Point, 68> landmarks(const Portrait& portrait, int side) {
  return Landmarks(portrait, side).all();
}

}  // namespace mien::synth
