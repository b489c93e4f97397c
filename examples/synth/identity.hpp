#pragma once
// Who is painted: what a person keeps from picture to picture. Nothing here depends on the
// expression, so that classes are learnt from expressions alone.

#include <cstdint>

#include "painting.hpp"

namespace mien::synth {

enum class HairStyle { bald, cropped, parted, fringe, long_straight, long_wavy, curly, tied };

// Shares and ranges that persons are drawn from. Two sets of pictures with different populations
// differ in more than their persons.
struct Population {
  float youngest = 0.1f, oldest = 1.0f;   // age: 0 a child, 0.3 grown up, 1 old
  float darkest = 0.0f, lightest = 1.0f;  // tone of skin
  float glasses = 0.2f, beard = 0.35f;    // of all; of grown-ups with short hair
  float shape_spread = 1.0f;              // deviation of proportions, relative to the usual one
};

struct Identity {
  std::uint32_t texture;  // seed of skin, hair and brows
  float age;

  // Proportions; 1 or 0 is the mean face.
  float face_width, jaw_width, chin_width, face_length, cheekbones;
  float eye_size, eye_distance, eye_tilt, brow_height, brow_thickness, brow_arch;
  float nose_width, nose_length, nose_height;
  float mouth_width, mouth_height, lip_thickness;
  float asymmetry;

  Color skin, lips, iris, hair, brow, shirt;
  float blush, freckles, mottling, wrinkles, lashes;

  HairStyle style;
  float hairline, parting, volume, hair_length;
  float beard, moustache, stubble;  // 0 to 1

  bool glasses;
  float glasses_size, glasses_roundness, rim;
  Color rim_color;
};

Identity draw_identity(const Population& population, Generator& random);

}  // namespace mien::synth
