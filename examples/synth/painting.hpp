#pragma once
// What pictures are drawn with: vectors, colours, signed distances and noise.
//
// A shape is a signed distance, negative inside, in the units of its space. Edges are anti-aliased
// by coverage(): the share of a pixel that lies inside, as if the edge were straight there.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include <mien/core/random.hpp>

namespace mien::synth {

struct Vec3 {
  float x, y, z;

  friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
  friend Vec3 operator*(float s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
  Vec3& operator+=(Vec3 b) { return *this = *this + b; }
};

// Red, green, blue, proportional to light; a stored sample is the root of it (gamma 2).
using Color = Vec3;

// The colour that a file shows as these samples, 0 to 1.
inline Color shown_as(float r, float g, float b) { return {r * r, g * g, b * b}; }

inline float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline float length(Vec3 a) { return std::sqrt(dot(a, a)); }
inline Vec3 normalized(Vec3 a) { return 1 / std::max(length(a), 1e-9f) * a; }

inline float square(float x) { return x * x; }
inline float clamp01(float x) { return std::min(std::max(x, 0.0f), 1.0f); }
inline float mix(float a, float b, float t) { return a + (b - a) * t; }
inline Color mix(Color a, Color b, float t) { return a + t * (b - a); }

// 0 below `low`, 1 above `high`, smooth between; falls where low > high.
inline float smooth_step(float low, float high, float x) {
  const float t = clamp01((x - low) / (high - low));
  return t * t * (3 - 2 * t);
}

// A hill of height 1 around 0 that ends at r2 = 1, the squared distance in units of its radius.
inline float hill(float r2) { return r2 < 1 ? square(1 - r2) : 0; }
inline float hill(float x, float y, float radius_x, float radius_y) {
  return hill(square(x / radius_x) + square(y / radius_y));
}

inline float coverage(float distance, float pixel) { return clamp01(0.5f - distance / pixel); }

// The share of a pixel between two lines, `above` over `below`, in the direction of y.
inline float coverage_between(float above, float below, float y, float pixel) {
  const float half = 0.5f * pixel;
  return clamp01((std::min(y + half, below) - std::max(y - half, above)) / pixel);
}

// The share of a pixel that a line of this half-width covers; right also for lines thinner than it.
inline float line_coverage(float distance, float half_width, float pixel) {
  return coverage_between(-half_width, half_width, distance, pixel);
}

// Distance to the segment from a to b, in the plane.
inline float to_segment(float x, float y, float ax, float ay, float bx, float by) {
  const float dx = bx - ax, dy = by - ay;
  const float t = clamp01(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy));
  return std::hypot(x - ax - t * dx, y - ay - t * dy);
}

// A signed distance with its slopes, as far as they are asked for: shapes are written once for
// `float` and for `Sloped`.
struct Sloped {
  float distance;
  Vec3 slope;

  friend Sloped operator-(Sloped a) { return {-a.distance, -1 * a.slope}; }
};

inline float value_of(float d) { return d; }
inline float value_of(const Sloped& d) { return d.distance; }

// The union of two shapes, with the seam filled to a width of k (polynomial smooth minimum).
inline float smooth_union(float a, float b, float k) {
  const float h = std::max(k - std::abs(a - b), 0.0f) / k;
  return std::min(a, b) - 0.25f * h * h * k;
}
inline Sloped smooth_union(const Sloped& a, const Sloped& b, float k) {
  const float h = std::max(k - std::abs(a.distance - b.distance), 0.0f) / k;
  const bool first = a.distance < b.distance;
  return {smooth_union(a.distance, b.distance, k),
          mix(first ? a.slope : b.slope, first ? b.slope : a.slope, 0.5f * h)};
}

// Points from + t direction, direction of length 1 and towards the viewer.
struct Ray {
  Vec3 from, direction;
  Vec3 at(float t) const { return from + t * direction; }
  // Where it passes this depth.
  Vec3 at_depth(float z) const { return at((z - from.z) / direction.z); }
};

struct Ellipsoid {
  Vec3 center, inverse_radii;

  static Ellipsoid of(Vec3 center, Vec3 radii) {
    return {center, {1 / radii.x, 1 / radii.y, 1 / radii.z}};
  }
  // Signed distance, near enough around the surface: the implicit form over its slope. Too short
  // outside, so rays do not overstep.
  template <class D>
  D distance(Vec3 p) const {
    const Vec3 scaled = (p - center) * inverse_radii, steep = scaled * inverse_radii;
    const float inverse = 1 / std::max(length(steep), 1e-6f);
    const float d = 0.5f * (dot(scaled, scaled) - 1) * inverse;
    if constexpr (std::is_same_v<D, Sloped>)
      return {d, inverse * steep};
    else
      return d;
  }
  // Where a ray comes upon it: t of the nearest point in front, and how far off the ray passes, in
  // radii; below 0 for a hit.
  struct Meeting {
    float t, off;
  };
  Meeting meet(const Ray& ray) const {
    const Vec3 o = (ray.from - center) * inverse_radii, d = ray.direction * inverse_radii;
    const float a = dot(d, d), b = dot(o, d), c = dot(o, o);
    const float nearest2 = c - b * b / a;
    return {(-b + std::sqrt(std::max(a * (1 - nearest2), 0.0f))) / a,
            std::sqrt(std::max(nearest2, 0.0f)) - 1};
  }
  // Outwards at a point of the surface.
  Vec3 normal(Vec3 p) const { return normalized((p - center) * inverse_radii * inverse_radii); }
};

// Noise in [0, 1], smooth, with features of size 1; the same for the same (x, y, seed).
inline float noise(float x, float y, std::uint32_t seed) {
  const auto corner = [seed](std::int32_t i, std::int32_t j) {
    std::uint32_t h = static_cast<std::uint32_t>(i) * 0x8DA6B343u ^
                      static_cast<std::uint32_t>(j) * 0xD8163841u ^ seed * 0xCB1AB31Fu;
    h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
    h ^= h >> 13;
    return static_cast<float>(h >> 8) * 0x1p-24f;
  };
  const float fx = std::floor(x), fy = std::floor(y);
  const auto i = static_cast<std::int32_t>(fx), j = static_cast<std::int32_t>(fy);
  const float u = smooth_step(0, 1, x - fx), v = smooth_step(0, 1, y - fy);
  return mix(mix(corner(i, j), corner(i + 1, j), u), mix(corner(i, j + 1), corner(i + 1, j + 1), u),
             v);
}

// Draws of single numbers.
inline float between(Generator& random, float low, float high) {
  return low + (high - low) * random.uniform();
}
inline bool chance(Generator& random, float probability) { return random.uniform() < probability; }
// Mean 0, deviation 1, within +-3.47: nearly normal, as the sum of four uniform numbers.
inline float bell(Generator& random) {
  float sum = -2;
  for (int i = 0; i < 4; ++i) sum += random.uniform();
  return sum * 1.7320508f;
}

}  // namespace mien::synth
