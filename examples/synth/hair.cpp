#include "hair.hpp"

namespace mien::synth {

Hair::Shape Hair::shape_of(const Identity& p) {
  const float v = p.volume;
  switch (p.style) {
    case HairStyle::bald:
      return {.top = 0.004f, .side = 0.012f, .line = -1, .side_back = -0.05f, .opacity = 0.5f};
    case HairStyle::cropped:
      return {.top = 0.03f, .side = 0.025f, .opacity = 0.85f};
    case HairStyle::parted:
      return {
          .top = 0.10f + 0.08f * v, .side = 0.05f + 0.03f * v, .spread = 0.85f, .side_back = 0.4f};
    case HairStyle::fringe:
      return {.top = 0.09f + 0.06f * v,
              .side = 0.07f + 0.05f * v,
              .line = -0.40f,
              .down_to = 0.1f,
              .side_back = 0.42f};
    case HairStyle::long_straight:
      return {.top = 0.08f + 0.05f * v,
              .side = 0.08f + 0.05f * v,
              .spread = 0.75f,
              .down_to = 0.05f,
              .side_back = 0.28f,
              .end = p.hair_length};
    case HairStyle::long_wavy:
      return {.top = 0.11f + 0.08f * v,
              .side = 0.12f + 0.08f * v,
              .spread = 0.75f,
              .down_to = 0.05f,
              .side_back = 0.28f,
              .end = p.hair_length,
              .curl = 0.45f};
    case HairStyle::curly:
      return {.top = 0.16f + 0.16f * v,
              .side = 0.12f + 0.16f * v,
              .line = -0.64f,
              .down_to = 0.12f,
              .side_back = 0.2f,
              .curl = 1};
    case HairStyle::tied:
      return {.top = 0.05f, .side = 0.035f};
  }
  return {};
}

Hair::Hair(const Identity& person, const Head& head)
    : person_(person),
      head_(head),
      shape_(shape_of(person)),
      radii_(head.skull_radii() + Vec3{shape_.side, shape_.top, 0.5f * (shape_.top + shape_.side)}),
      shell_(Ellipsoid::of(Head::skull_center, radii_)) {}

// Above zero where the shell is hair: how far inside its line.
float Hair::inside_line(Vec3 p) const {
  const bool parted = person_.style == HairStyle::parted || shape_.end > 0;
  const float x = parted ? p.x - 0.5f * person_.parting : p.x;
  const float swing = parted ? std::abs(x) * std::sqrt(std::abs(x)) : x * x * (0.5f + 2 * x * x);
  float ragged = 0.05f * (noise(22 * p.x, 4 * p.y, person_.texture + 9) - 0.5f);
  if (shape_.curl > 0)
    ragged += shape_.curl * 0.06f * (noise(9 * p.x, 9 * p.y, person_.texture + 10) - 0.5f);
  const float front = shape_.line + person_.hairline + shape_.spread * swing + ragged - p.y;
  const float side = std::min(shape_.side_back + ragged - p.z, shape_.down_to + ragged - p.y);
  return std::max(front, side);
}

Color Hair::color_at(Vec3 p, Vec3 normal, const Light& light, float side) const {
  const float across =
      side * (p.x - 0.3f * person_.parting) / (0.5f + 0.35f * std::max(p.y + 1, 0.0f));
  const float wave =
      shape_.curl > 0 ? shape_.curl * 0.8f * noise(3 * p.x, 6 * p.y, person_.texture + 11) : 0;
  float strand = 0.6f * noise(26 * (across + wave), 2.5f * p.y, person_.texture + 12) +
                 0.4f * noise(70 * (across + wave), 4 * p.y, person_.texture + 13);
  if (shape_.curl > 0.8f)  // locks, with strands in them
    strand = 0.2f + 0.4f * noise(11 * p.x, 11 * p.y, person_.texture + 12) +
             0.3f * noise(30 * p.x, 30 * p.y, person_.texture + 13);
  const float shine = hill((dot(normal, light.up) - 0.45f) / 0.45f, 0, 1, 1) *
                      std::max(dot(normal, light.lamp), 0.0f);
  const Color base = mix(person_.skin, person_.hair, shape_.opacity);
  return (0.45f + 0.95f * strand) * (base * light.on(normal)) +
         0.13f * shine * strand * strand * light.lamp_color *
             (person_.hair + Color{0.2f, 0.2f, 0.2f});
}

// Half the width of hanging hair; above the middle of the skull that of the shell.
float Hair::hanging_width(float y) const {
  const float up = Head::skull_center.y - y;
  if (up > 0) return radii_.x * std::sqrt(std::max(1 - square(up / radii_.y), 0.0f));
  const float wave = shape_.curl * 0.07f * smooth_step(0, -0.4f, up) *
                     std::sin(9 * y + static_cast<float>(person_.texture % 7));
  const float taper = smooth_step(shape_.end + 0.05f, shape_.end - 0.4f, y);
  const float wider = 0.1f * person_.volume * smooth_step(-0.2f, 0.6f, y);
  return (radii_.x + wider + wave) * (0.8f + 0.2f * taper);
}

Layer Hair::behind(const Ray& ray, const Light& light, float pixel) const {
  Layer layer;
  if (person_.style == HairStyle::tied) {
    static const Ellipsoid bun = Ellipsoid::of({0, -1.02f, -0.35f}, {0.27f, 0.24f, 0.27f});
    const auto met = bun.meet(ray);
    const float share = coverage(0.27f * met.off, pixel);
    const Vec3 p = ray.at(met.t);
    if (share > 0) layer = {color_at(p, bun.normal(p), light, 2), share};
  }
  if (shape_.end <= 0) return layer;
  const Vec3 back = ray.at_depth(-0.25f);
  const float ragged = 0.08f * noise(16 * back.x, 1, person_.texture + 14);
  const float d = std::max(std::abs(back.x) - hanging_width(back.y),
                           std::max(back.y - shape_.end + ragged, -0.55f - back.y));
  const float share = coverage(d, pixel);
  if (share > layer.share) {
    const Vec3 normal = normalized({0.9f * back.x, 0.1f, 0.6f});
    layer = {0.7f * color_at(back, normal, light, 1), share};
  }
  return layer;
}

Layer Hair::in_front(const Ray& ray, const Light& light, float pixel) const {
  Layer layer;
  Ellipsoid surface = shell_;
  if (shape_.curl > 0) {
    const float bump = noise(7 * ray.from.x, 7 * ray.from.y, person_.texture + 15) - 0.5f;
    surface.inverse_radii = (1 - 0.16f * shape_.curl * bump) * surface.inverse_radii;
  }
  const auto met = surface.meet(ray);
  float share = coverage(radii_.x * met.off, pixel);
  if (share > 0) {
    const Vec3 p = ray.at(met.t);
    share *= coverage(-inside_line(p), std::max(pixel, shape_.opacity < 1 ? 0.1f : 0.035f));
    if (share > 0) share *= smooth_step(0, 0.025f, head_.distance(p));  // cheeks come through
    if (share > 0) layer = {color_at(p, surface.normal(p), light, 1), share};
  }
  if (shape_.end > 0) {
    const Vec3 lock = ray.at_depth(0.12f);
    const float ragged = 0.03f * (noise(3, 9 * lock.y, person_.texture + 16) - 0.5f);
    const float inner = radii_.x - 0.12f + 0.05f * smooth_step(0.1f, 0.9f, lock.y) + ragged;
    const float ax = std::abs(lock.x);
    const float d = std::max(std::max(inner - ax, ax - hanging_width(lock.y)),
                             std::max(lock.y - shape_.end + 0.1f + ragged, -0.6f - lock.y));
    const float lock_share = coverage(d, std::max(pixel, 0.02f));
    if (lock_share > 0) {
      const Vec3 normal = normalized({1.2f * lock.x, -0.1f, 0.6f});
      layer.color =
          mix(layer.color, color_at(lock, normal, light, 1), layer.share > 0 ? lock_share : 1.0f);
      layer.share = std::max(layer.share, lock_share);
    }
  }
  return layer;
}

float Hair::shadow(Vec3 p) const {
  if (shape_.opacity < 1) return 0;
  const float near = smooth_step(-0.2f, 0.05f, inside_line(p));
  return 0.4f * near;
}

}  // namespace mien::synth
