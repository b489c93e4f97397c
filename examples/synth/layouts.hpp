#pragma once
// What mien-synth writes. The same options give the same bytes, with any number of threads.

#include <cstdint>
#include <string>
#include <vector>

namespace mien::synth {

// What all sets have in common.
struct SetOptions {
  std::string out;
  std::uint64_t seed = 1;
  int size = 112;               // side of a face's picture, pixels
  std::int64_t per_person = 8;  // pictures of one person, on average
  float label_noise = 0;        // see expression.hpp
};

// OUT/images/face_00000.jpg ... and OUT/labels.csv, all classes alike.
struct FacesOptions {
  SetOptions set;
  std::int64_t count = 64;
};
void write_faces(const FacesOptions& options);

// One picture: a row for each expression or action unit, a column for each person.
struct SheetOptions {
  SetOptions set;  // out: the file
  int columns = 8;
  bool action_units = false;
};
void write_sheet(const SheetOptions& options);

// AffectNet: the release of 2017 (whole pictures, CSV), that of 2021 (faces, NPY), and the folders
// of faces that are derived from the first.
struct AffectNetOptions {
  SetOptions set;
  std::int64_t train = 1000, validation = 200;  // of the eight classes
  bool release_2017 = true, release_2021 = true, folders = true;
};
void write_affectnet(const AffectNetOptions& options);

// s-Aff-Wild2, the multi-task challenge of ABAW4, with OpenFace's files.
struct AbawMtlOptions {
  SetOptions set;
  std::int64_t train = 1000, validation = 200, test = 200;  // frames
  std::int64_t frames = 40;                                 // of one video
};
void write_abaw_mtl(const AbawMtlOptions& options);

// ABAW4's learning from synthetic data.
struct AbawLsdOptions {
  SetOptions set;
  std::int64_t train = 1000, validation = 200, test = 200;
};
void write_abaw_lsd(const AbawLsdOptions& options);

// OUT/weights/{upscale,analyze}.safetensors: freshly initialised networks.
void write_networks(const std::string& out, std::uint64_t seed);

}  // namespace mien::synth
