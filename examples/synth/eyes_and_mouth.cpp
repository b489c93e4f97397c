// The parts of a face that are not skin.

#include "skin.hpp"

namespace mien::synth {
namespace {

// Everything in units of head space around the eye's centre, x to the outer corner.
struct Eyeball {
  float dx, dy;  // of the pixel
  float iris_x, iris_y, iris_radius;
};

// White, iris and pupil where the lids leave them open.
Surface eyeball_at(const Eyeball& e, const Eye& eye, const Identity& person, const Gaze& gaze,
                   float mirror, float pixel) {
  Surface ball;
  ball.softness = 0.5f, ball.gloss = 0;
  const float u = e.dx / eye.half_width;
  ball.albedo = (1 - 0.3f * u * u) * shown_as(0.90f, 0.87f, 0.86f);
  const float inner = hill(u + 1, e.dy / 0.05f, 0.22f, 1);
  ball.albedo = mix(ball.albedo, shown_as(0.75f, 0.42f, 0.4f), inner);
  const float r = std::hypot(e.dx - e.iris_x, e.dy - e.iris_y);
  const float within = r / e.iris_radius;
  const float angle = std::atan2(e.dy - e.iris_y, e.dx - e.iris_x);
  const float streak = noise(5 * angle, 3 * within, person.texture + 7);
  Color iris = (0.75f + 0.5f * streak +
                0.35f * smooth_step(-0.5f, 1.0f, (e.dy - e.iris_y) / e.iris_radius)) *
               person.iris;
  iris = mix(iris, 0.25f * person.iris, smooth_step(0.72f, 1.0f, within));
  iris = mix(iris, {0.003f, 0.003f, 0.003f}, coverage(r - 0.42f * e.iris_radius, pixel));
  ball.albedo = mix(ball.albedo, iris, coverage(r - e.iris_radius, pixel));
  const float gx = e.dx - e.iris_x - mirror * 0.45f * e.iris_radius * gaze.lamp_x;
  const float gy = e.dy - e.iris_y - 0.45f * e.iris_radius * gaze.lamp_y;
  const float glint = 0.9f * coverage(std::hypot(gx, gy) - 0.25f * e.iris_radius, 0.02f + pixel);
  ball.glint = {glint, glint, glint};
  ball.open = 1 - 0.55f * smooth_step(0.045f, 0.0f, e.dy - eye.upper_lid(u));  // lid's shadow
  return ball;
}

void blend(Surface& s, const Surface& over, float share) {
  s.cover(over.albedo, share);
  s.softness += share * over.softness;
  s.open = mix(s.open, over.open, share);
  s.glint = share * over.glint;
}

void paint_teeth(Surface& inside, float x, float y, const Mouth& m, float u, float pixel) {
  const float top = m.upper_inner(u);
  const float edge = m.center.y + 0.012f + 0.45f * m.open_up + 0.55f * (m.line(u) - m.center.y);
  const float lower_edge = m.center.y + m.open_down - 0.016f;
  float teeth = coverage_between(top, edge, y, pixel);
  const float gums = m.open_down > 0.09f ? 0.0f : 0.75f;  // a dropped jaw hides the lower teeth
  teeth = std::max(teeth, gums * coverage_between(lower_edge, m.lower_inner(u), y, pixel));
  const float across = x / 0.05f;
  const float gap = hill(square((across - std::round(across)) / 0.2f));
  const float shade = (1 - 0.22f * gap) * (1 - 0.6f * square(u)) *
                      mix(0.55f, 1.0f, smooth_step(0, 0.025f, y - top));
  inside.albedo = mix(inside.albedo, shade * shown_as(0.90f, 0.87f, 0.80f), teeth);
}

}  // namespace

void paint_eyes(Surface& s, Vec3 p, const Identity& person, const Geometry& g, const Gaze& gaze,
                float pixel) {
  const int side = p.x < 0 ? 0 : 1;
  const float mirror = side == 0 ? -1.0f : 1.0f;
  const Eye& eye = g.eyes[static_cast<std::size_t>(side)];
  const float x = std::abs(p.x) - eye.center.x, y = p.y - eye.center.y;
  if (std::abs(x) > 1.4f * eye.half_width || std::abs(y) > 0.22f) return;
  const float dx = x - eye.tilt * y, dy = y + eye.tilt * x;  // rotated: outer corner up
  const float u = dx / eye.half_width;
  const float in_width = clamp01(0.5f + (1 - std::abs(u)) * eye.half_width / pixel);
  const float upper = eye.upper_lid(u), lower = eye.lower_lid(u);

  const float bend = 1 - square(u / 1.2f);
  const float fold = std::min(-eye.crease * bend, upper - 0.008f);
  if (bend > 0) {
    const float on_lid = coverage_between(fold, upper, dy, pixel);
    s.albedo = mix(s.albedo, s.albedo * Color{0.95f, 0.86f, 0.84f}, on_lid);
    s.slope_y -= 0.5f * on_lid * (dy - 0.5f * (fold + upper)) / 0.05f * 0.35f;
    s.crease(dy - fold, 0.016f + 0.5f * pixel, 0.5f * bend);
  }
  const float open = in_width * (upper < lower ? coverage_between(upper, lower, dy, pixel) : 0);
  if (open > 0) {
    const float radius = 0.069f * person.eye_size;
    const Eyeball ball{dx, dy, mirror * 0.035f * gaze.x, 0.004f + 0.02f * gaze.y, radius};
    blend(s, eyeball_at(ball, eye, person, gaze, mirror, pixel), open);
  }
  if (std::abs(u) < 1.12f) {
    const float lash = person.lashes * (0.011f + 0.006f * u) * std::max(1.1f - u * u, 0.15f);
    const float at = upper < lower ? upper : 0.5f * (upper + lower);
    const Color dark = shown_as(0.13f, 0.08f, 0.06f);
    s.cover(dark, 0.92f * line_coverage(dy - at + 0.3f * lash, lash, pixel));
    s.cover(dark, 0.35f * in_width * line_coverage(dy - lower, 0.005f, pixel));
  }
}

void paint_mouth(Surface& s, Vec3 p, const Identity& person, const Geometry& g, float pixel) {
  const Mouth& m = g.mouth;
  const float u = m.u(p.x);
  if (std::abs(u) > 1.15f || p.y < 0.4f || p.y > 1.05f) return;
  const float line = m.line(u);
  if (std::abs(u) < 1) {
    const float ends = smooth_step(1.0f, 0.93f, std::abs(u));
    const float top = m.upper_outer(u), up = m.upper_inner(u), low = m.lower_inner(u),
                bottom = m.lower_outer(u);
    const float rough = 1 + 0.12f * (noise(45 * p.x, 8 * p.y, person.texture + 8) - 0.5f);
    const float upper = ends * coverage_between(top, up, p.y, pixel);
    const float lower = ends * coverage_between(low, bottom, p.y, pixel);
    if (upper > 0) {
      s.cover(0.86f * rough * person.lips, 0.92f * upper);
      s.softness += 0.9f * upper, s.gloss += 1.1f * upper;
      s.slope_y -= 0.38f * upper;  // turned down
    }
    if (lower > 0) {
      const float across = (p.y - low) / std::max(bottom - low, 0.01f);
      s.cover(rough * person.lips, 0.92f * lower);
      s.softness += 0.9f * lower, s.gloss += 1.8f * lower;
      s.slope_y += lower * (0.45f - 0.95f * across);  // round
    }
    const float open = coverage_between(up, low, p.y, pixel) * (low - up > 0.004f ? 1.0f : 0.0f);
    if (open > 0) {
      Surface inside;
      inside.albedo = shown_as(0.2f, 0.06f, 0.06f);
      const float tongue = hill(u, (p.y - low) / (0.55f * (low - up) + 0.01f), 0.75f, 1);
      inside.albedo = mix(inside.albedo, shown_as(0.55f, 0.24f, 0.24f),
                          clamp01(1.3f * tongue) * smooth_step(0.05f, 0.12f, low - up));
      paint_teeth(inside, p.x, p.y, m, u, pixel);
      s.cover(inside.albedo, open);
      s.open = mix(s.open, 0.85f, open);
    }
  }
  const float closed = smooth_step(0.03f, 0.01f, m.open_up + m.open_down);
  const float reach = smooth_step(1.14f, 0.95f, std::abs(u)) *
                      std::max(closed, smooth_step(0.8f, 1.0f, std::abs(u)));
  s.cover(0.18f * person.lips, 0.85f * reach * line_coverage(p.y - line, 0.008f, pixel));
}

}  // namespace mien::synth
