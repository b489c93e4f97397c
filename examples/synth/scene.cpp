#include "scene.hpp"

namespace mien::synth {
namespace {

Color matt(Color albedo, Vec3 normal, const Shot& shot) {
  const float facing = std::max(dot(normal, normalized(shot.lamp)), 0.0f);
  return albedo * (facing * shot.lamp_color + mix(shot.ground, shot.sky, 0.5f - 0.5f * normal.y));
}

}  // namespace

void draw_light(Shot& shot, Generator& random) {
  shot.lamp = {between(random, -0.9f, 0.9f), between(random, -1.0f, 0.1f),
               between(random, 0.45f, 1.1f)};
  const float warmth = 0.12f * std::clamp(bell(random), -2.0f, 2.0f);
  const float strength = between(random, 0.55f, 1.15f);
  shot.lamp_color = strength * Color{1 + warmth, 1.0f, 1 - warmth};
  const float fill = between(random, 0.22f, 0.5f), sky_warmth = 0.1f * bell(random);
  shot.sky = fill * Color{1 + sky_warmth, 1.0f, 1 - sky_warmth};
  shot.ground = 0.6f * fill * Color{1.1f, 1.0f, 0.9f};
  shot.scene = static_cast<std::uint32_t>(random.below(1u << 30));
  const auto any = [&] {
    return shown_as(between(random, 0.1f, 0.85f), between(random, 0.1f, 0.85f),
                    between(random, 0.1f, 0.85f));
  };
  const float grey = between(random, 0.1f, 0.85f);
  shot.wall = mix(0.8f * any(), shown_as(grey, grey, grey), 0.8f);
  shot.accent = mix(any(), shot.wall, 0.6f);
}

Color paint_background(Point at, const Shot& shot) {
  // Out of focus: a slow gradient, a few large blots and sometimes a straight edge.
  const float slow = noise(0.7f * at.x + 9, 0.7f * at.y, shot.scene);
  const float blots = noise(1.9f * at.x, 1.9f * at.y + 5, shot.scene + 1);
  Color color = mix(shot.wall, shot.accent, smooth_step(0.25f, 0.75f, slow));
  color = (0.7f + 0.6f * blots) * color;
  if (shot.scene % 3 == 0) {
    const float edge = noise(0.5f, 0.5f, shot.scene + 2) * 3 - 1.5f;
    const float slant = noise(1.5f, 0.5f, shot.scene + 3) - 0.5f;
    color = mix(color, 0.5f * (color + shot.accent),
                smooth_step(-0.06f, 0.06f, at.x - edge - slant * at.y));
  }
  return color;
}

// Neck and shoulders turn and nod far less than the head.
void paint_body(Color& color, Point at, const Portrait& portrait, float pixel) {
  const Shot& shot = portrait.shot;
  const Identity& person = portrait.person;
  const float x = at.x + 0.25f * shot.yaw * 0.5f, y = at.y;
  if (y < 0.2f) return;
  const float half = 0.41f * person.jaw_width * (0.92f + 0.3f * square(std::max(y - 0.75f, 0.0f)));
  const float neck = coverage(std::abs(x) - half, pixel);
  if (neck > 0) {
    const float nx = std::clamp(x / half, -1.0f, 1.0f);
    const Vec3 normal{nx, 0.1f, std::sqrt(std::max(1 - nx * nx, 0.01f))};
    const float chin_shadow = mix(0.5f, 1.0f, smooth_step(0.95f, 1.45f, y));
    color = mix(color, chin_shadow * matt(person.skin, normalized(normal), shot), neck);
  }
  const float slope = 1.14f + 0.24f * x * x + 0.05f * std::abs(x);
  const float collar = 1.12f + 0.55f * hill(x, 0, 0.46f, 1);
  const float shirt = coverage(std::max(slope, collar) - y, pixel);
  if (shirt > 0) {
    const Vec3 normal = normalized({0.5f * x, -0.35f, 0.9f});
    const float weave = 0.9f + 0.2f * noise(6 * x, 3 * y, person.texture + 20);
    const float edge = 1 - 0.35f * hill(square((y - std::max(slope, collar)) / 0.05f));
    color = mix(color, (weave * edge) * matt(person.shirt, normal, shot), shirt);
  }
}

void paint_glasses(Color& color, const Ray& ray, const Portrait& portrait, const Geometry& g,
                   float pixel) {
  constexpr float depth = 0.80f;  // of the plane in front of the eyes
  const Identity& person = portrait.person;
  const Vec3 p = ray.at_depth(depth);
  const float ax = std::abs(p.x), y = p.y - 0.03f;
  if (std::abs(y) > 0.3f || ax > 0.8f) return;
  const float half_x = 0.2f * person.glasses_size, half_y = 0.155f * person.glasses_size;
  const float round = person.glasses_roundness * 0.9f * half_y;
  const float cx = g.eyes[0].center.x + 0.005f;
  const float qx = std::abs(ax - cx) - half_x + round, qy = std::abs(y) - half_y + round;
  const float lens =
      std::hypot(std::max(qx, 0.0f), std::max(qy, 0.0f)) + std::min(std::max(qx, qy), 0.0f) - round;
  const float inside = coverage(lens, pixel);
  // A faint mirror image of the lamp across each lens.
  const float streak = smooth_step(0.06f, 0.0f, std::abs(ax - cx + 0.8f * y + 0.02f) - 0.03f);
  color += (inside * (0.015f + 0.05f * streak)) * portrait.shot.lamp_color;
  float frame = line_coverage(lens, person.rim, pixel);
  const float bridge = std::hypot(p.x / 0.09f, (y + 0.03f) / 0.05f) - 1;
  if (ax < cx - half_x + 0.01f && y < -0.03f)
    frame = std::max(frame, line_coverage(0.05f * bridge, person.rim, pixel));
  if (ax > cx + half_x && ax < 0.57f)
    frame = std::max(frame, line_coverage(y + 0.05f, person.rim, pixel));
  const float shine = 0.6f + 0.6f * smooth_step(0.1f, -0.15f, y);
  color = mix(color, shine * person.rim_color, frame);
}

}  // namespace mien::synth
