#pragma once
// What a face expresses: action units and, from the same numbers, class, valence and arousal.
//
// Classes are combinations of action units as in EMFACS (Ekman, Friesen: "Facial Action Coding
// System"; Friesen, Ekman: "EMFACS-7", 1983). Valence and arousal lie on Russell's circumplex
// ("A circumplex model of affect", 1980): a class gives the direction, its strength how far, and
// arousal shows in wide eyes and an open mouth.

#include <array>
#include <cstddef>
#include <cstdint>

#include <mien/core/random.hpp>

namespace mien::synth {

// AffectNet's labels 0 to 7, and what ABAW calls Other.
enum class Emotion { neutral, happiness, sadness, surprise, fear, disgust, anger, contempt, other };
inline constexpr std::size_t emotion_count = 9;
inline constexpr std::array<const char*, emotion_count> emotion_names = {
    "Neutral", "Happiness", "Sadness", "Surprise", "Fear", "Disgust", "Anger", "Contempt", "Other"};

// Action units that the painter draws: those of the multi-task challenge and of OpenFace.
enum class Au : std::size_t {
  inner_brow_raiser,     // 1
  outer_brow_raiser,     // 2
  brow_lowerer,          // 4
  upper_lid_raiser,      // 5
  cheek_raiser,          // 6
  lid_tightener,         // 7
  nose_wrinkler,         // 9
  upper_lip_raiser,      // 10
  lip_corner_puller,     // 12
  dimpler,               // 14
  lip_corner_depressor,  // 15
  chin_raiser,           // 17
  lip_stretcher,         // 20
  lip_tightener,         // 23
  lip_pressor,           // 24
  lips_part,             // 25
  jaw_drop,              // 26
  blink,                 // 45
};
inline constexpr std::size_t au_count = 18;
inline constexpr std::array<int, au_count> au_numbers = {1,  2,  4,  5,  6,  7,  9,  10, 12,
                                                         14, 15, 17, 20, 23, 24, 25, 26, 45};

// An action unit from this intensity on counts as present (FACS level B).
inline constexpr float au_present = 0.25f;

struct Expression {
  Emotion emotion = Emotion::neutral;
  std::array<float, au_count> aus = {};  // 0 to 1, where 1 is FACS level E
  float side = 0;                        // lip corners: -1 or 1 moves that side alone, 0 both
  float valence = 0, arousal = 0;        // -1 to 1

  float operator[](Au au) const { return aus[static_cast<std::size_t>(au)]; }
  float& operator[](Au au) { return aus[static_cast<std::size_t>(au)]; }
  // By FACS number; 0 for one that is not drawn.
  float au(int number) const;
};

// One expression of this class. `strength` scales it from barely visible (0) to full (1).
Expression draw_expression(Emotion emotion, float strength, Generator& random);

// The same with a random strength.
Expression draw_expression(Emotion emotion, Generator& random);

// One action unit alone, for a sheet that shows them.
Expression single_au(Au au, float intensity);

// How often labels are wrong: with probability `noise` a face of another class is what was labelled
// as this one, and valence and arousal are off by a deviation of `noise`.
Emotion mistaken_for(Emotion label, float noise, Generator& random);
void blur_affect(Expression& expression, float noise, Generator& random);

}  // namespace mien::synth
