#include "head.hpp"

namespace mien::synth {
namespace {

// Distance to a cone with round ends: radius ra at a, rb at b (inexact near the ends, which is fine
// in a union).
template <class D>
D to_tapered(Vec3 p, Vec3 a, float ra, Vec3 b, float rb) {
  const Vec3 ab = b - a, ap = p - a;
  const float t = clamp01(dot(ap, ab) / dot(ab, ab));
  const Vec3 off = ap - t * ab;
  const float away = length(off), d = away - mix(ra, rb, t);
  if constexpr (std::is_same_v<D, Sloped>)
    return {d, 1 / std::max(away, 1e-6f) * off};
  else
    return d;
}

}  // namespace

Head::Head(const Identity& p, const Geometry& g)
    : skull_radii_{0.70f * p.face_width, 0.75f, 0.83f},
      bounds_(Ellipsoid::of({0, 0.5f * g.jaw_drop, 0},
                            {skull_radii_.x + 0.16f, 1.2f + 0.5f * g.jaw_drop, 1.02f})),
      skull_(Ellipsoid::of(skull_center, skull_radii_)),
      jaw_(Ellipsoid::of(
          {0, 0.31f + 0.5f * g.jaw_drop, 0.08f},
          {0.575f * p.jaw_width * p.face_width, 0.64f * p.face_length + 0.5f * g.jaw_drop, 0.6f})),
      chin_(Ellipsoid::of({0, 0.82f * p.face_length + g.jaw_drop, 0.46f},
                          {0.2f * p.chin_width, 0.16f, 0.2f})),
      muzzle_(Ellipsoid::of({0, 0.58f, 0.42f}, {0.27f, 0.2f, 0.255f})),
      ear_(Ellipsoid::of({skull_radii_.x - 0.005f, 0.07f, -0.1f}, {0.07f, 0.175f, 0.11f})),
      brow_ridge_(Ellipsoid::of({0.2f, -0.2f, 0.56f}, {0.24f, 0.085f, 0.16f})),
      socket_(Ellipsoid::of({0.28f, 0.02f, 0.80f}, {0.19f, 0.115f, 0.14f})),
      nose_wing_(
          Ellipsoid::of({g.nose_half_width - 0.055f, g.nose_base - 0.03f - g.nostril_lift, 0.74f},
                        {0.058f, 0.052f, 0.085f})),
      nose_root_{0, -0.12f, 0.66f},
      nose_tip_{0, g.nose_tip, 0.74f + 0.125f * p.nose_height},
      nose_tip_radius_(0.075f + 0.12f * (g.nose_half_width - 0.13f)) {
  for (std::size_t side = 0; side < 2; ++side) {
    const float bulge = g.cheek_bulge[side];
    cheeks_[side] = Ellipsoid::of({0.37f * p.face_width, 0.24f - 0.06f * bulge,
                                   0.40f + 0.035f * p.cheekbones + 0.05f * bulge},
                                  {0.23f, 0.2f, 0.22f});
  }
}

template <class D>
D Head::nose(Vec3 right) const {
  const D bridge = to_tapered<D>(right, nose_root_, 0.05f, nose_tip_, nose_tip_radius_);
  return smooth_union(bridge, nose_wing_.distance<D>(right), 0.06f);
}

// Adds the front to a head that is at distance d. Parts are left out where they are far away.
template <class D>
D Head::face(Vec3 right, bool left_side, D d) const {
  const float x = right.x, y = right.y;
  if (y > -0.35f && y < 0.85f)
    d = smooth_union(d, cheeks_[left_side ? 0 : 1].distance<D>(right), 0.2f);
  if (y > 0.1f && x < 0.7f) {
    d = smooth_union(d, chin_.distance<D>(right), 0.22f);
    d = smooth_union(d, muzzle_.distance<D>(right), 0.16f);
  }
  if (y < 0.35f && y > -0.5f) {
    d = smooth_union(d, brow_ridge_.distance<D>(right), 0.1f);
    d = -smooth_union(-d, socket_.distance<D>(right), 0.09f);
  }
  if (x < 0.35f && y > -0.4f && y < 0.7f) d = smooth_union(d, nose<D>(right), 0.075f);
  return d;
}

template <class D>
D Head::shape(Vec3 right, bool left_side) const {
  const D d = smooth_union(skull_.distance<D>(right), jaw_.distance<D>(right), 0.22f);
  if (right.z > 0.1f) return face(right, left_side, d);
  if (right.x < 0.45f || right.z < -0.4f) return d;
  return smooth_union(d, ear_.distance<D>(right), 0.04f);
}

float Head::distance(Vec3 p) const { return shape<float>({std::abs(p.x), p.y, p.z}, p.x < 0); }

Vec3 Head::normal(Vec3 p) const {
  const Vec3 n = shape<Sloped>({std::abs(p.x), p.y, p.z}, p.x < 0).slope;
  return normalized({p.x < 0 ? -n.x : n.x, n.y, n.z});
}

std::optional<Hit> Head::hit(const Ray& ray, float pixel, float start) const {
  const auto met = bounds_.meet(ray);
  if (met.off > 0) return std::nullopt;
  float t = std::min(met.t, start), d = distance(ray.at(t));
  if (d < pixel && t < met.t) t = met.t, d = distance(ray.at(t));  // started inside
  float nearest = d, nearest_t = t;
  bool there = false;
  for (int step = 0; step < 20; ++step) {
    if (d < nearest) nearest = d, nearest_t = t;
    there = d < 0.4f * pixel;
    if (there || d > nearest + 0.08f) break;  // or going away again
    t -= std::max(1.15f * d, pixel);
    d = distance(ray.at(t));
  }
  const float covered = there ? 1 : clamp01(1.4f - nearest / pixel);
  if (covered <= 0) return std::nullopt;
  nearest_t -= nearest;
  return Hit{ray.at(nearest_t), nearest_t, covered};
}

Vec3 Head::in_front_of(float x, float y) const {
  const auto hit = this->hit({{x, y, 0}, {0, 0, 1}}, 0.01f);
  return hit ? hit->point : Vec3{x, y, 0};
}

}  // namespace mien::synth
