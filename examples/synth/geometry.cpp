#include "geometry.hpp"

namespace mien::synth {
namespace {

Brow make_brow(const Identity& p, const Expression& e, float lift) {
  const float au1 = e[Au::inner_brow_raiser], au2 = e[Au::outer_brow_raiser],
              au4 = e[Au::brow_lowerer], au9 = e[Au::nose_wrinkler];
  const float y = -0.245f + p.brow_height + lift;
  Brow brow;
  brow.inner = {0.115f - 0.04f * au4 - 0.01f * au9,
                y + 0.025f - 0.135f * au1 + 0.085f * au4 + 0.05f * au9};
  brow.arch = {0.30f,
               y - 0.03f * p.brow_arch - 0.03f * au1 - 0.105f * au2 + 0.05f * au4 + 0.02f * au9};
  brow.outer = {0.475f, y + 0.035f - 0.085f * au2 + 0.015f * au1};
  brow.half_thickness = 0.029f * p.brow_thickness;
  return brow;
}

Eye make_eye(const Identity& p, const Expression& e) {
  const float au1 = e[Au::inner_brow_raiser], au2 = e[Au::outer_brow_raiser],
              au4 = e[Au::brow_lowerer], au5 = e[Au::upper_lid_raiser], au6 = e[Au::cheek_raiser],
              au7 = e[Au::lid_tightener], au9 = e[Au::nose_wrinkler],
              au12 = e[Au::lip_corner_puller], au45 = e[Au::blink];
  const float size = p.eye_size, sad = au1 * (1 - au2);
  Eye eye;
  eye.center = {0.295f * p.eye_distance, 0.0f};
  eye.half_width = 0.15f * size;
  eye.tilt = p.eye_tilt - 0.05f * sad;
  eye.upper = size * (0.066f + 0.045f * au5 + 0.012f * au2 - 0.012f * au4 - 0.02f * au6) *
              (1 - 0.28f * au7) * (1 - 0.25f * au9);
  eye.lower = size * (0.045f + 0.014f * au5) * (1 - 0.5f * au7) * (1 - 0.55f * au6) *
              (1 - 0.2f * au12) * (1 - 0.3f * au9);
  eye.upper = mix(eye.upper, -0.8f * eye.lower, clamp01(au45));
  eye.crease = size * (0.108f + 0.012f * au2 + 0.012f * au1 - 0.02f * au4 - 0.012f * au6);
  eye.skew = -0.1f - 0.5f * sad + 0.25f * au4;
  return eye;
}

Mouth make_mouth(const Identity& p, const Expression& e) {
  const float au10 = e[Au::upper_lip_raiser], au12 = e[Au::lip_corner_puller],
              au14 = e[Au::dimpler], au15 = e[Au::lip_corner_depressor], au17 = e[Au::chin_raiser],
              au20 = e[Au::lip_stretcher], au23 = e[Au::lip_tightener], au24 = e[Au::lip_pressor],
              au25 = e[Au::lips_part], au26 = e[Au::jaw_drop], au9 = e[Au::nose_wrinkler];
  Mouth m;
  m.center = {0.0f, 0.635f + p.mouth_height - 0.025f * au17 + 0.015f * au12 - 0.02f * au10};
  const auto half_width = [&](float share) {
    return p.mouth_width * (0.25f + share * (0.085f * au12 + 0.03f * au14) + 0.07f * au20 -
                            0.045f * au23 - 0.02f * au24 - 0.055f * au26 + 0.01f * au15);
  };
  const auto corner = [&](float share) {
    return -share * (0.115f * au12 + 0.045f * au14) + 0.095f * au15 + 0.02f * au20 + 0.012f * au17 +
           0.02f * au10;
  };
  const float left = 1 - std::max(e.side, 0.0f), right = 1 - std::max(-e.side, 0.0f);
  m.left = half_width(left);
  m.right = half_width(right);
  m.left_corner = corner(left);
  m.right_corner = corner(right);
  const float parted = std::max(au25, au26);
  m.open_up = parted * (0.018f + 0.05f * au10 + 0.02f * au12);
  m.open_down = parted * (0.03f + 0.03f * au12 + 0.02f * au20) + 0.15f * au26;
  const float pressed = std::max(0.62f * au23, 0.85f * au24);
  m.upper_thickness =
      0.056f * p.lip_thickness * (1 - pressed) * (1 - 0.3f * au12 - 0.2f * au10 - 0.25f * au20) +
      0.004f;
  m.lower_thickness =
      0.08f * p.lip_thickness * (1 - pressed) * (1 - 0.25f * au12 - 0.25f * au20 + 0.12f * au17) +
      0.004f;
  m.center.y -= 0.012f * au9;
  return m;
}

Folds make_folds(const Identity& p, const Expression& e, float left, float right) {
  const float au12 = e[Au::lip_corner_puller], au10 = e[Au::upper_lip_raiser],
              au6 = e[Au::cheek_raiser], au14 = e[Au::dimpler], au9 = e[Au::nose_wrinkler];
  // Old skin folds sooner and never quite smooths.
  const auto fold = [&](float pull, float rest) {
    return clamp01(pull * (0.65f + 0.5f * p.wrinkles) + rest * p.wrinkles);
  };
  Folds f;
  f.forehead = fold(0.5f * (e[Au::inner_brow_raiser] + e[Au::outer_brow_raiser]), 0.25f);
  f.frown = fold(e[Au::brow_lowerer], 0.15f);
  f.nose_root = fold(au9, 0.0f);
  f.crow_feet = fold(0.8f * au6, 0.15f);
  f.lower_lid = fold(0.5f * au6 + 0.4f * e[Au::lid_tightener], 0.45f);
  f.chin = fold(0.9f * e[Au::chin_raiser], 0.0f);
  const float nose = 0.75f * au10 + 0.35f * au9;
  f.cheek_left = fold(nose + left * (0.7f * au12 + 0.2f * au14), 0.35f);
  f.cheek_right = fold(nose + right * (0.7f * au12 + 0.2f * au14), 0.35f);
  f.dimple_left = left * au14;
  f.dimple_right = right * au14;
  return f;
}

}  // namespace

float Brow::at(float x) const {
  const float t0 = (x - arch.x) * (x - outer.x) / ((inner.x - arch.x) * (inner.x - outer.x));
  const float t1 = (x - inner.x) * (x - outer.x) / ((arch.x - inner.x) * (arch.x - outer.x));
  const float t2 = (x - inner.x) * (x - arch.x) / ((outer.x - inner.x) * (outer.x - arch.x));
  return t0 * inner.y + t1 * arch.y + t2 * outer.y;
}

float Eye::upper_lid(float u) const {
  const float w = 1 - u * u;
  return -upper * w * (1 + 0.45f * skew * u) * (1.15f - 0.15f * w);
}

float Eye::lower_lid(float u) const { return lower * (1 - u * u) * (1 + 0.25f * u); }

float Mouth::line(float u) const {
  const float corner = u < 0 ? left_corner : right_corner, bend = std::abs(u);
  return center.y + corner * bend * std::sqrt(bend);
}

float Mouth::upper_inner(float u) const { return line(u) - open_up * (1 - square(u * u)); }

float Mouth::lower_inner(float u) const {
  const float w = 1 - u * u;
  return line(u) + open_down * w * (1.35f - 0.35f * w);
}

float Mouth::upper_outer(float u) const {
  const float bow = 1 - 0.28f * hill(square(u / 0.28f));  // Cupid's bow
  const float taper = 1 - u * u;
  return upper_inner(u) -
         upper_thickness * bow * std::sqrt(std::max(taper, 0.0f)) * (0.55f + 0.45f * taper);
}

float Mouth::lower_outer(float u) const {
  const float taper = std::max(1 - u * u, 0.0f);
  return lower_inner(u) + lower_thickness * taper * (1.25f - 0.25f * taper);
}

Geometry::Geometry(const Identity& person, const Expression& e) {
  const float left = 1 - std::max(e.side, 0.0f), right = 1 - std::max(-e.side, 0.0f);
  brows = {make_brow(person, e, person.asymmetry), make_brow(person, e, -person.asymmetry)};
  eyes = {make_eye(person, e), make_eye(person, e)};
  mouth = make_mouth(person, e);
  folds = make_folds(person, e, left, right);
  const float au9 = e[Au::nose_wrinkler], au10 = e[Au::upper_lip_raiser];
  nostril_lift = 0.025f * au10 + 0.03f * au9;
  nose_tip = 0.345f + person.nose_length - 0.01f * au9;
  nose_base = nose_tip + 0.075f;
  nose_half_width =
      person.nose_width * (0.13f + 0.012f * au10 + 0.01f * au9 + 0.008f * e[Au::lip_corner_puller]);
  jaw_drop = 0.15f * e[Au::jaw_drop] + 0.02f * e[Au::lips_part] - 0.015f * e[Au::chin_raiser];
  const float cheek = 0.6f * e[Au::cheek_raiser];
  cheek_bulge[0] = cheek + left * 0.5f * e[Au::lip_corner_puller];
  cheek_bulge[1] = cheek + right * 0.5f * e[Au::lip_corner_puller];
}

}  // namespace mien::synth
