#include "expression.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "painting.hpp"

namespace mien::synth {
namespace {

// An action unit's part in a class: how often it takes part, and how strongly at full strength.
struct Part {
  Au au;
  float probability, intensity;
};

struct Prototype {
  float valence, arousal;
  std::vector<Part> parts;
};

const Prototype& prototype(Emotion emotion) {
  static const std::array<Prototype, emotion_count> prototypes = {{
      {0.0f, -0.05f, {}},
      {0.85f,
       0.15f,
       {{Au::cheek_raiser, 1, 0.8f}, {Au::lip_corner_puller, 1, 1}, {Au::lips_part, 0.6f, 0.7f}}},
      {-0.75f,
       -0.4f,
       {{Au::inner_brow_raiser, 1, 0.95f},
        {Au::brow_lowerer, 0.8f, 0.4f},
        {Au::lip_corner_depressor, 1, 1},
        {Au::chin_raiser, 0.5f, 0.6f}}},
      {0.15f,
       0.7f,
       {{Au::inner_brow_raiser, 1, 0.9f},
        {Au::outer_brow_raiser, 1, 0.95f},
        {Au::upper_lid_raiser, 0.9f, 0.7f},
        {Au::lips_part, 1, 0.6f},
        {Au::jaw_drop, 1, 0.95f}}},
      {-0.6f,
       0.75f,
       {{Au::inner_brow_raiser, 1, 0.95f},
        {Au::outer_brow_raiser, 0.9f, 0.5f},
        {Au::brow_lowerer, 0.9f, 0.65f},
        {Au::upper_lid_raiser, 1, 1},
        {Au::lid_tightener, 0.7f, 0.4f},
        {Au::lip_stretcher, 1, 0.95f},
        {Au::lips_part, 1, 0.75f},
        {Au::jaw_drop, 0.8f, 0.4f}}},
      {-0.7f,
       0.3f,
       {{Au::nose_wrinkler, 1, 0.95f},
        {Au::upper_lip_raiser, 1, 0.95f},
        {Au::brow_lowerer, 0.6f, 0.4f},
        {Au::lid_tightener, 0.6f, 0.5f},
        {Au::lip_corner_depressor, 0.4f, 0.4f},
        {Au::chin_raiser, 0.4f, 0.5f},
        {Au::lips_part, 0.5f, 0.45f}}},
      {-0.6f,
       0.65f,
       {{Au::brow_lowerer, 1, 1},
        {Au::upper_lid_raiser, 0.7f, 0.5f},
        {Au::lid_tightener, 1, 0.8f},
        {Au::lip_tightener, 1, 0.8f},
        {Au::lip_pressor, 0.75f, 0.8f},
        {Au::chin_raiser, 0.4f, 0.4f}}},
      {-0.4f,
       0.2f,
       {{Au::lip_corner_puller, 1, 0.8f}, {Au::dimpler, 1, 1}, {Au::lid_tightener, 0.4f, 0.35f}}},
      {0.0f, 0.2f, {}},
  }};
  return prototypes[static_cast<std::size_t>(emotion)];
}

// What belongs to no class: two or three units that do not meet in one, such as talking or winking.
void draw_other(Expression& e, float strength, Generator& random) {
  static constexpr std::array<std::array<Au, 3>, 6> sets = {{
      {Au::lips_part, Au::jaw_drop, Au::lip_corner_puller},              // talking
      {Au::outer_brow_raiser, Au::chin_raiser, Au::lip_pressor},         // doubt
      {Au::brow_lowerer, Au::lips_part, Au::lip_corner_puller},          // squinting at the sun
      {Au::blink, Au::lips_part, Au::jaw_drop},                          // yawning
      {Au::lip_pressor, Au::lip_corner_puller, Au::inner_brow_raiser},   // comforting
      {Au::lip_tightener, Au::outer_brow_raiser, Au::upper_lid_raiser},  // about to speak
  }};
  for (const Au au : sets[random.below(sets.size())])
    e[au] = strength * between(random, 0.45f, 0.9f);
  e.valence = between(random, -0.35f, 0.35f);
}

// What follows from the rest: a laugh drops the jaw, sad lids droop, open lips are not pressed.
void settle(Expression& e, Generator& random) {
  if (e.emotion == Emotion::happiness && e[Au::lips_part] > 0.5f && chance(random, 0.5f))
    e[Au::jaw_drop] = between(random, 0.2f, 0.7f);
  if (e.emotion == Emotion::sadness && chance(random, 0.5f))
    e[Au::blink] = between(random, 0.15f, 0.45f);  // drooping lids
  const float open = std::max(e[Au::lips_part], e[Au::jaw_drop]);
  if (open > 0.3f) e[Au::lip_pressor] = 0;
  if (e[Au::jaw_drop] > 0.1f) e[Au::lips_part] = std::max(e[Au::lips_part], 0.5f);
}

}  // namespace

float Expression::au(int number) const {
  const auto at = std::find(au_numbers.begin(), au_numbers.end(), number);
  return at == au_numbers.end() ? 0 : aus[static_cast<std::size_t>(at - au_numbers.begin())];
}

Expression draw_expression(Emotion emotion, float strength, Generator& random) {
  const Prototype& mean = prototype(emotion);
  Expression e{.emotion = emotion};
  for (float& intensity : e.aus) intensity = square(random.uniform()) * 0.12f;  // faces never rest
  for (const Part& part : mean.parts)
    if (chance(random, part.probability))
      e[part.au] = clamp01(strength * part.intensity * between(random, 0.75f, 1.2f));
  if (emotion == Emotion::contempt) e.side = chance(random, 0.5f) ? -1.0f : 1.0f;
  if (emotion == Emotion::other) draw_other(e, strength, random);
  settle(e, random);

  const float share = 0.3f + 0.7f * strength;
  e.valence += share * mean.valence;
  e.arousal = share * mean.arousal + 0.25f * e[Au::jaw_drop] + 0.15f * e[Au::upper_lid_raiser] +
              0.1f * e[Au::lips_part] - 0.35f * e[Au::blink];
  e.valence = std::clamp(e.valence + 0.03f * bell(random), -1.0f, 1.0f);
  e.arousal = std::clamp(e.arousal + 0.03f * bell(random), -1.0f, 1.0f);
  return e;
}

Expression draw_expression(Emotion emotion, Generator& random) {
  const float strength = between(random, 0.45f, 1.0f);
  return draw_expression(emotion, strength, random);
}

Expression single_au(Au au, float intensity) {
  Expression e{.emotion = Emotion::other};
  e[au] = intensity;
  if (au == Au::jaw_drop) e[Au::lips_part] = 0.5f;
  return e;
}

Emotion mistaken_for(Emotion label, float noise, Generator& random) {
  const bool mistaken = chance(random, noise);
  const auto another = (static_cast<std::uint64_t>(label) + 1 + random.below(7)) % 8;
  return mistaken && label != Emotion::other ? static_cast<Emotion>(another) : label;
}

void blur_affect(Expression& e, float noise, Generator& random) {
  e.valence = std::clamp(e.valence + noise * bell(random), -1.0f, 1.0f);
  e.arousal = std::clamp(e.arousal + noise * bell(random), -1.0f, 1.0f);
}

}  // namespace mien::synth
