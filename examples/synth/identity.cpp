#include "identity.hpp"

#include <array>

namespace mien::synth {
namespace {

template <std::size_t N>
Color along(const std::array<Color, N>& colors, float t) {
  const float at = clamp01(t) * static_cast<float>(N - 1);
  const auto i = std::min(static_cast<std::size_t>(at), N - 2);
  return mix(colors[i], colors[i + 1], at - static_cast<float>(i));
}

Color skin_color(float tone, Generator& random) {
  static const std::array<Color, 6> tones = {
      shown_as(0.36f, 0.24f, 0.18f), shown_as(0.49f, 0.33f, 0.25f), shown_as(0.62f, 0.43f, 0.32f),
      shown_as(0.77f, 0.58f, 0.45f), shown_as(0.87f, 0.69f, 0.57f), shown_as(0.94f, 0.79f, 0.71f)};
  const float warmth = 0.05f * bell(random);
  return along(tones, tone) * Color{1 + warmth, 1, 1 - warmth};
}

Color hair_color(float age, float tone, Generator& random) {
  static const std::array<Color, 6> colors = {
      shown_as(0.08f, 0.07f, 0.07f), shown_as(0.17f, 0.12f, 0.09f), shown_as(0.30f, 0.20f, 0.13f),
      shown_as(0.46f, 0.31f, 0.19f), shown_as(0.50f, 0.24f, 0.12f), shown_as(0.76f, 0.62f, 0.40f)};
  const Color natural = along(colors, random.uniform() * (tone > 0.6f ? 1.0f : 0.35f));
  const float grey = smooth_step(0.55f, 1.0f, age + 0.15f * bell(random));
  return mix(natural, shown_as(0.72f, 0.71f, 0.69f), grey);
}

Color iris_color(float tone, Generator& random) {
  static const std::array<Color, 5> colors = {
      shown_as(0.20f, 0.12f, 0.08f), shown_as(0.33f, 0.21f, 0.12f), shown_as(0.40f, 0.38f, 0.22f),
      shown_as(0.35f, 0.47f, 0.52f), shown_as(0.42f, 0.56f, 0.70f)};
  return along(colors, random.uniform() * (tone > 0.6f ? 1.0f : 0.3f));
}

// Children have a wide forehead, large eyes, a small nose and a short jaw.
void draw_proportions(Identity& p, float spread, Generator& random) {
  const float child = smooth_step(0.35f, 0.0f, p.age);
  const auto around = [&](float mean, float deviation) {
    return mean + deviation * spread * std::clamp(bell(random), -2.0f, 2.0f);
  };
  p.face_width = around(1.0f + 0.03f * child, 0.045f);
  p.jaw_width = around(1.0f, 0.075f);
  p.chin_width = around(1.0f - 0.1f * child, 0.15f);
  p.face_length = around(1.0f - 0.09f * child, 0.03f);
  p.cheekbones = around(1.0f, 0.25f);
  p.eye_size = around(1.0f + 0.14f * child, 0.06f);
  p.eye_distance = around(1.0f, 0.045f);
  p.eye_tilt = around(0.04f, 0.05f);
  p.brow_height = around(0.0f, 0.018f);
  p.brow_thickness = around(1.0f - 0.35f * child, 0.22f);
  p.brow_arch = around(1.0f, 0.4f);
  p.nose_width = around(1.0f - 0.1f * child, 0.11f);
  p.nose_length = around(0.0f - 0.04f * child, 0.025f);
  p.nose_height = around(1.0f - 0.3f * child, 0.13f);
  p.mouth_width = around(1.0f - 0.1f * child, 0.075f);
  p.mouth_height = around(0.0f - 0.02f * child, 0.018f);
  p.lip_thickness = around(1.0f, 0.22f);
  p.asymmetry = around(0.0f, 0.006f);
}

void draw_hair(Identity& p, const Population& population, Generator& random) {
  p.style = static_cast<HairStyle>(random.below(8));
  if (p.style == HairStyle::bald && p.age < 0.4f) p.style = HairStyle::cropped;
  p.hairline = 0.04f * bell(random);
  p.parting = between(random, -0.5f, 0.5f);
  p.volume = between(random, 0.0f, 1.0f);
  p.hair_length = between(random, 0.75f, 1.5f);
  const bool short_hair = p.style <= HairStyle::fringe || p.style == HairStyle::curly;
  const bool may_grow = short_hair && p.age > 0.28f;
  const bool beard = chance(random, population.beard), moustache = chance(random, 0.7f);
  p.stubble = may_grow ? square(random.uniform()) : 0.0f;
  p.beard = may_grow && beard ? between(random, 0.6f, 1.0f) : 0.0f;
  p.moustache = may_grow && beard && moustache ? between(random, 0.6f, 1.0f) : 0.0f;
}

void draw_accessories(Identity& p, const Population& population, Generator& random) {
  p.glasses = chance(random, population.glasses);
  p.glasses_size = between(random, 0.9f, 1.15f);
  p.glasses_roundness = between(random, 0.3f, 1.0f);
  p.rim = between(random, 0.008f, 0.022f);
  const float dark = between(random, 0.05f, 0.3f);
  p.rim_color = chance(random, 0.7f) ? shown_as(dark, dark, dark) : shown_as(0.5f, 0.35f, 0.2f);
  p.shirt = shown_as(between(random, 0.1f, 0.9f), between(random, 0.1f, 0.8f),
                     between(random, 0.1f, 0.9f));
}

}  // namespace

Identity draw_identity(const Population& population, Generator& random) {
  Identity p{};
  p.texture = static_cast<std::uint32_t>(random.below(1u << 30));
  p.age = between(random, population.youngest, population.oldest);
  draw_proportions(p, population.shape_spread, random);
  const float tone =
      std::sqrt(between(random, square(population.darkest), square(population.lightest)));
  p.skin = skin_color(tone, random);
  p.lips = mix(p.skin * Color{0.95f, 0.55f, 0.55f}, shown_as(0.66f, 0.22f, 0.24f),
               between(random, 0.05f, 0.5f));
  p.iris = iris_color(tone, random);
  p.hair = hair_color(p.age, tone, random);
  p.brow = mix(p.hair, shown_as(0.16f, 0.11f, 0.08f), 0.5f);
  p.blush = between(random, 0.05f, 0.5f);
  p.freckles = chance(random, tone > 0.7f ? 0.2f : 0.0f) ? between(random, 0.3f, 0.8f) : 0.0f;
  p.mottling = between(random, 0.02f, 0.1f);
  p.wrinkles = smooth_step(0.35f, 1.0f, p.age);
  p.lashes = between(random, 0.6f, 1.4f);
  draw_hair(p, population, random);
  draw_accessories(p, population, random);
  return p;
}

}  // namespace mien::synth
