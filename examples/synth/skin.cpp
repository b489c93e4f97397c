#include "skin.hpp"

namespace mien::synth {
namespace {

// Tone: mottling, blush, freckles, redness of the nose.
void paint_tone(Surface& s, Vec3 p, const Identity& person, const Geometry& g) {
  const float ax = std::abs(p.x);
  const float coarse = noise(5 * p.x + 40, 5 * p.y, person.texture);
  const float fine = noise(28 * p.x, 28 * p.y, person.texture + 1);
  s.albedo = (1 + person.mottling * (coarse + 0.6f * fine - 0.8f)) * person.skin;
  const float cheek = hill(ax - 0.36f, p.y - 0.28f, 0.24f, 0.2f);
  const float nose = hill(p.x, p.y - g.nose_tip, 0.15f, 0.16f);
  const float red = person.blush * (0.45f * cheek + 0.35f * nose);
  s.albedo = s.albedo * Color{1 + 0.06f * red, 1 - 0.3f * red, 1 - 0.28f * red};
  if (person.freckles > 0 && ax < 0.55f && std::abs(p.y - 0.2f) < 0.25f) {
    const float spot = smooth_step(
        0.66f, 0.86f, noise(27 * p.x + 19 * p.y, 27 * p.y - 19 * p.x, person.texture + 2));
    const float where = 1 - square(ax / 0.55f);
    s.albedo = mix(s.albedo, s.albedo * Color{0.62f, 0.5f, 0.4f}, person.freckles * spot * where);
  }
  // Shade of thin skin around the eyes.
  const float eye = hill(ax - 0.27f, p.y - 0.02f, 0.23f, 0.16f);
  s.albedo = s.albedo * Color{1 - 0.16f * eye, 1 - 0.24f * eye, 1 - 0.2f * eye};
}

void model_relief(Surface& s, Vec3 p, const Geometry& g) {
  const int side = p.x < 0 ? 0 : 1;
  const float ax = std::abs(p.x), mirror = side == 0 ? -1.0f : 1.0f;
  Surface half;  // slopes as if the face had its right side alone
  const auto raise = [&](float x, float y, float rx, float ry, float height) {
    half.raise(ax - x, p.y - y, rx, ry, height);
  };
  const Mouth& m = g.mouth;
  const float bulge = g.cheek_bulge[side];
  raise(0.36f, 0.22f - 0.06f * bulge, 0.2f, 0.16f, 0.05f * bulge);        // cheek
  raise(0.25f, 0.09f, 0.15f, 0.05f, 0.012f + 0.02f * g.folds.lower_lid);  // below the eye
  raise(0.13f, -0.2f, 0.1f, 0.1f, 0.03f * g.folds.frown);                 // corrugator
  raise(0.0f, m.center.y + m.open_down + m.lower_thickness + 0.055f, 0.17f, 0.05f, -0.03f);
  raise(0.0f, 0.83f + g.jaw_drop, 0.13f, 0.1f, 0.02f + 0.035f * g.folds.chin);
  raise(0.0f, 0.5f * (g.nose_base + m.center.y), 0.035f, 0.09f, -0.012f);  // philtrum
  const float corner_x = side == 0 ? m.left : m.right;
  raise(corner_x + 0.045f, m.line(mirror) + 0.005f, 0.06f, 0.06f, -0.012f);  // mouth's corner
  s.slope_x += mirror * half.slope_x;
  s.slope_y += half.slope_y;
}

void fold_forehead(Surface& s, Vec3 p, const Identity& person, const Folds& f) {
  const float ax = std::abs(p.x);
  if (p.y < -0.3f && p.y > -0.75f && ax < 0.45f && f.forehead > 0.02f) {
    const float wave = 0.03f * noise(4 * p.x, 1.5f, person.texture + 3) - 0.05f * ax;
    const float across = (p.y + wave + 0.66f) / 0.095f;
    const float nearest = (across - std::round(across)) * 0.095f;
    const float where = smooth_step(0.45f, 0.2f, ax) * hill((p.y + 0.53f) / 0.24f, 0, 1, 1);
    s.crease(nearest, 0.02f, 0.62f * f.forehead * where);
  }
  if (f.frown > 0.02f && ax < 0.12f && p.y > -0.42f && p.y < -0.05f) {
    const float d = ax - 0.04f - 0.5f * square(p.y + 0.25f);
    s.crease(d, 0.02f, 0.6f * f.frown * hill((p.y + 0.235f) / 0.16f, 0, 1, 1));
  }
  if (f.nose_root > 0.02f && ax < 0.2f && p.y > -0.2f && p.y < 0.22f) {
    const float across = (p.y + 0.1f + 0.5f * ax) / 0.06f;
    const float where = hill(ax, p.y - 0.02f + 0.4f * ax, 0.18f, 0.17f);
    s.crease((across - std::round(across)) * 0.06f, 0.017f, 0.65f * f.nose_root * where);
  }
}

void fold_around_eyes(Surface& s, Vec3 p, const Geometry& g) {
  const Eye& eye = g.eyes[p.x < 0 ? 0 : 1];
  const float ax = std::abs(p.x), dx = ax - eye.center.x, dy = p.y - eye.center.y;
  if (std::abs(dy) > 0.2f || dx > 0.34f || dx < -0.2f) return;
  if (g.folds.crow_feet > 0.02f && dx > 0.12f)
    for (const float rise : {-0.07f, 0.0f, 0.06f}) {
      const float d = to_segment(dx, dy, 0.165f, 0.35f * rise, 0.27f, rise + 0.01f);
      s.crease(d, 0.012f, 0.55f * g.folds.crow_feet);
    }
  const float u = dx / eye.half_width;
  if (g.folds.lower_lid > 0.02f && std::abs(u) < 1.15f) {
    const float lid = eye.lower + 0.05f - 0.05f * u * u - eye.tilt * dx;
    s.crease(dy - lid, 0.022f, 0.55f * g.folds.lower_lid * (1 - square(u / 1.15f)));
  }
}

void fold_around_mouth(Surface& s, Vec3 p, const Geometry& g) {
  const int side = p.x < 0 ? 0 : 1;
  const float ax = std::abs(p.x);
  const Mouth& m = g.mouth;
  const float corner_x = side == 0 ? m.left : m.right;
  const float corner_y = m.line(side == 0 ? -1.0f : 1.0f);
  const float fold = side == 0 ? g.folds.cheek_left : g.folds.cheek_right;
  const float x0 = g.nose_half_width + 0.025f, y0 = g.nose_base - 0.075f - g.nostril_lift;
  const float x1 = corner_x + 0.085f, y1 = corner_y + 0.04f;
  const float t = (p.y - y0) / (y1 - y0);
  if (fold > 0.02f && t > -0.05f && t < 1.25f) {
    const float x = x0 + (x1 - x0) * (1.35f * t - 0.35f * t * t);
    const float slant = 1 / std::sqrt(1 + square((x1 - x0) / (y1 - y0)));
    const float where = smooth_step(-0.05f, 0.15f, t) * smooth_step(1.25f, 0.8f, t);
    s.crease((ax - x) * slant, 0.045f, 0.5f * fold * where);
  }
  const float dimple = side == 0 ? g.folds.dimple_left : g.folds.dimple_right;
  if (dimple > 0.02f) {
    const float x = corner_x + 0.035f;
    s.crease(to_segment(ax, p.y, x, corner_y - 0.055f, x + 0.012f, corner_y + 0.045f), 0.03f,
             0.6f * dimple);
  }
  if (g.folds.chin > 0.02f && ax < 0.2f && p.y > 0.75f) {
    const float where = hill(ax, p.y - 0.84f - g.jaw_drop, 0.17f, 0.11f);
    s.open *= 1 - 0.5f * g.folds.chin * where * noise(26 * p.x, 26 * p.y, 77);
  }
}

void paint_nostrils(Surface& s, Vec3 p, const Geometry& g) {
  const float ax = std::abs(p.x), y = g.nose_base - 0.004f - 0.5f * g.nostril_lift;
  const float hole = hill(ax - 0.55f * g.nose_half_width, p.y - y, 0.045f, 0.026f);
  s.cover(shown_as(0.16f, 0.07f, 0.05f), clamp01(1.5f * hole));
  s.open *= 1 - 0.35f * hill(p.x, p.y - y - 0.04f, 0.2f, 0.075f);  // the nose's own shadow
  s.crease(std::hypot((ax - g.nose_half_width + 0.03f) / 0.045f, (p.y - y + 0.035f) / 0.06f) - 1,
           0.3f, ax > g.nose_half_width - 0.03f ? 0.4f : 0.0f);  // the wing's outline
}

void paint_beard(Surface& s, Vec3 p, const Identity& person, const Geometry& g) {
  if (person.stubble + person.beard + person.moustache <= 0 || p.y < 0.05f) return;
  const float ax = std::abs(p.x);
  const Mouth& m = g.mouth;
  const float ragged = 0.05f * (noise(30 * p.x, 30 * p.y, person.texture + 4) - 0.5f);
  const float cheek_line = ax > 0.2f ? 0.66f - 1.15f * (ax - 0.2f) : 0.66f;
  const float below_lip = m.center.y + m.open_down + m.lower_thickness + 0.045f;
  const float inside =
      mix(cheek_line, std::max(cheek_line, below_lip), smooth_step(0.36f, 0.22f, ax));
  const float jaw = smooth_step(-0.02f, 0.07f, p.y - inside + ragged);
  const float around = hill(ax - 0.27f, p.y - m.center.y - 0.05f, 0.09f, 0.2f);
  const float lip_edge = std::abs(m.u(p.x)) < 1 ? m.upper_outer(m.u(p.x)) : m.center.y;
  const float lip = smooth_step(0.31f, 0.2f, ax) *
                    smooth_step(0.0f, 0.04f, p.y - g.nose_base - 0.1f * ax + ragged) *
                    smooth_step(0.02f, -0.01f, p.y - lip_edge);
  const float strand = noise(70 * p.x, 45 * p.y, person.texture + 5);
  const float shadow = std::max(jaw, lip) * 0.38f * person.stubble;
  s.albedo = mix(s.albedo, 0.45f * person.hair, shadow * (0.6f + 0.4f * strand));
  const float beard = person.beard * std::max(jaw, clamp01(1.5f * around));
  const float hairy = std::max(beard, person.moustache * lip);
  if (hairy <= 0) return;
  s.cover((0.55f + 0.9f * strand) * person.hair,
          hairy * smooth_step(-0.1f, 0.5f, strand + hairy - 0.5f));
}

}  // namespace

void Surface::cover(Color color, float share) {
  if (share <= 0) return;
  albedo = mix(albedo, color, share);
  const float rest = 1 - share;
  slope_x *= rest, slope_y *= rest, gloss *= rest, softness *= rest;
  open = mix(open, 1.0f, share);
}

void Surface::raise(float dx, float dy, float radius_x, float radius_y, float height) {
  const float u = dx / radius_x, v = dy / radius_y, r2 = u * u + v * v;
  if (r2 >= 1 || height == 0) return;
  const float slope = -4 * height * (1 - r2);  // of height (1 - r2)^2
  slope_x += slope * u / radius_x;
  slope_y += slope * v / radius_y;
}

void Surface::crease(float distance, float width, float depth) {
  const float near = hill(square(distance / width));
  open *= 1 - depth * near;
  albedo = albedo * Color{1, 1 - 0.15f * depth * near, 1 - 0.15f * depth * near};
}

void paint_skin(Surface& s, Vec3 p, const Identity& person, const Geometry& g) {
  paint_tone(s, p, person, g);
  model_relief(s, p, g);
  if (p.y < 0.25f) {
    fold_forehead(s, p, person, g.folds);
    fold_around_eyes(s, p, g);
  }
  if (p.y > 0.2f) {
    if (std::abs(p.x) < 0.2f && p.y < 0.6f) paint_nostrils(s, p, g);
    fold_around_mouth(s, p, g);
    paint_beard(s, p, person, g);
  }
}

void paint_brows(Surface& s, Vec3 p, const Identity& person, const Geometry& g, float pixel) {
  if (p.y > 0.02f || p.y < -0.52f) return;
  const Brow& brow = g.brows[p.x < 0 ? 0 : 1];
  const float ax = std::abs(p.x);
  const float t = (ax - brow.inner.x) / (brow.outer.x - brow.inner.x);
  if (t < -0.12f || t > 1.05f) return;
  const float taper = t < 0.5f ? 0.8f + 0.4f * t : 1 - 0.75f * square((t - 0.5f) / 0.5f);
  const float half = brow.half_thickness * taper;
  const float strand = noise(60 * (ax + 0.6f * p.y), 12 * p.y, person.texture + 6);
  const float off = p.y - brow.at(ax) + 0.02f * (strand - 0.5f);
  const float ends = smooth_step(-0.12f, 0.06f, t) * smooth_step(1.05f, 0.9f, t);
  const float soft = std::max(pixel, 0.012f);
  const float hairs = line_coverage(off, half, soft) * ends * (0.62f + 0.38f * strand);
  s.cover((0.7f + 0.5f * strand) * person.brow, hairs);
}

}  // namespace mien::synth
