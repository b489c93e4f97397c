#pragma once
// Record: one line of a run's history. RecordSink: where such lines are kept.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/json_reader.hpp>

namespace mien::train {

struct Record {
  std::int64_t epoch = 0;
  std::int64_t step = 0;   // optimizer steps done so far
  double time = 0;         // seconds since 1970
  std::string phase = {};  // "train", "val"
  std::vector<std::pair<std::string, double>> values =
      {};  // "loss", "accuracy", ..., in this order

  bool operator==(const Record&) const = default;
};

// Now, in seconds since 1970, to the millisecond.
inline double wall_time() {
  using namespace std::chrono;
  const auto now = system_clock::now().time_since_epoch();
  return static_cast<double>(duration_cast<milliseconds>(now).count()) / 1000;
}

// A sink appends to a file. write() hands the whole record to the system, so a run that is killed
// loses nothing it wrote; of a record that was cut short, nothing is left once the file is opened
// again. rewind(step) drops every record after `step`, all of them if it is negative. A run that
// writes a step's records before the step's checkpoint, and when resuming from a checkpoint rewinds
// to its step, ends with the same files as a run that was never interrupted.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual void write(const Record& record) = 0;
  virtual void rewind(std::int64_t step) = 0;
};

namespace detail {

// Names become columns, keys and tags: text of one line in UTF-8.
inline void check_name(std::string_view name) {
  bool fits = !name.empty() && io::is_utf8(name);
  for (const char symbol : name)
    fits = fits && static_cast<unsigned char>(symbol) >= 0x20 && symbol != 0x7f;
  check(fits, "record", "expected a name of one line in UTF-8, got ", io::json_string(name));
}

// Throws unless every sink can hold the record.
inline void check_record(const Record& record) {
  check(record.epoch >= 0 && record.step >= 0, "record", "expected no negative epoch or step, got ",
        record.epoch, " and ", record.step);
  check(std::isfinite(record.time), "record", "expected a finite time, got ", record.time);
  check_name(record.phase);
  for (auto value = record.values.begin(); value != record.values.end(); ++value) {
    const std::string& name = value->first;
    check_name(name);
    check(name != "epoch" && name != "step" && name != "time" && name != "phase", "record",
          "a value may not be named ", name);
    for (auto other = record.values.begin(); other != value; ++other)
      check(other->first != name, "record", "two values are named ", name);
  }
}

}  // namespace detail
}  // namespace mien::train
