#pragma once
// AffectNetRow: one face of AffectNet (Mollahosseini, Hasani, Mahoor: "AffectNet: a database for
// facial expression, valence, and arousal computing in the wild", 2017), whatever the release.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mien/affect/label_orders.hpp>
#include <mien/affect/reading.hpp>

namespace mien::affect {

// In pixels of the whole image, as the annotations have it.
struct FaceBox {
  double x = 0, y = 0, width = 0, height = 0;
};

struct AffectNetRow {
  std::string image;               // path
  int expression = 0;              // AffectNet's own label, 0 to 7
  float valence = 0, arousal = 0;  // -1 to 1; 0 where there are none
  bool has_va = false;
  std::optional<FaceBox> box = {};  // where the image is more than the face

  std::int64_t output() const {
    return affectnet8_output_of_label[static_cast<std::size_t>(expression)];
  }
};

// The rows of training or validation in the order of the release. Duplicates are kept, and no row
// is known by its image's name: rows of the published data share one.
struct AffectNetRows {
  std::vector<AffectNetRow> rows;
  // Rows that are right but show no face of the eight expressions.
  std::int64_t no_expression = 0;  // labels None, Uncertain, No-face
  std::int64_t no_face = 0;        // a face box of negative width
};

namespace detail {

// Valence and arousal are numbers from -1 to 1, or -2 for none.
inline bool is_affect(double value) { return value == -2 || (value >= -1 && value <= 1); }

inline void set_affect(AffectNetRow& row, double valence, double arousal) {
  row.has_va = valence >= -1 && arousal >= -1;
  if (!row.has_va) return;
  row.valence = static_cast<float>(valence);
  row.arousal = static_cast<float>(arousal);
}

inline void read_affect_columns(AffectNetRow& row, const io::CsvReader& csv, std::size_t valence,
                                std::size_t arousal) {
  const auto number = [&](std::size_t column) {
    const double value = csv.number<double>(column);
    csv.expect(is_affect(value), column, "a number from -1 to 1, or -2 for none");
    return value;
  };
  set_affect(row, number(valence), number(arousal));
}

}  // namespace detail

}  // namespace mien::affect
