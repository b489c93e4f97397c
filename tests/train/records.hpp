#pragma once
// What the tests of the record sinks share.

#include <cstdint>
#include <string>
#include <vector>

#include <mien/io/byte_reader.hpp>
#include <mien/io/mapped_file.hpp>
#include <mien/train/record.hpp>

namespace mien::train {

inline std::string content_of(const std::string& path) {
  return std::string(io::as_text(io::MappedFile(path).bytes()));
}

// The history of a made-up run: a record of training every step, one of validation, with a value of
// its own, every fourth.
inline std::vector<Record> history(std::int64_t steps) {
  std::vector<Record> records;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const auto x = static_cast<double>(step);
    const Record train{
        step / 4, step, 1700000000 + x, "train", {{"loss", 1 / x}, {"lr", 1e-3 / x}}};
    records.push_back(train);
    if (step % 4 == 0)
      records.push_back({step / 4, step, train.time + 0.5, "val", {{"loss", 2 / x}, {"f1", x}}});
  }
  return records;
}

}  // namespace mien::train
