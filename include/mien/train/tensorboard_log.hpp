#pragma once
// TensorBoardLog: a run's history as an event file for TensorBoard, with one scalar per value,
// named "train/loss" after the record's phase. Each TFRecord holds one protobuf message:
//
//   Event   { 1: double wall_time; 2: int64 step; 3: string file_version; 5: Summary summary }
//   Summary { 1: repeated Value { 1: string tag; 2: float simple_value } }
//
// Source: tensorboard/compat/proto/{event,summary}.proto.

#include <unistd.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <mien/train/appended_file.hpp>
#include <mien/train/record.hpp>
#include <mien/train/tfrecord.hpp>

namespace mien::train {

namespace detail {

// Fields of a protobuf message (protobuf.dev/programming-guides/encoding).
struct Protobuf {
  enum Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  std::string message;

  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) message += static_cast<char>((value & 0x7fu) | 0x80u);
    message += static_cast<char>(value);
  }
  void put_tag(std::uint32_t field, Wire wire) { put_varint(field << 3 | wire); }
  void put(std::uint32_t field, double value) {
    put_tag(field, fixed64);
    append_little(message, std::bit_cast<std::uint64_t>(value));
  }
  void put(std::uint32_t field, float value) {
    put_tag(field, fixed32);
    append_little(message, std::bit_cast<std::uint32_t>(value));
  }
  void put(std::uint32_t field, std::uint64_t value) {
    put_tag(field, varint);
    put_varint(value);
  }
  void put(std::uint32_t field, std::string_view value) {
    put_tag(field, bytes);
    put_varint(value.size());
    message += value;
  }
};

inline std::string event_of_version(double time) {
  Protobuf event;
  event.put(1, time);
  event.put(3, std::string_view("brain.Event:2"));
  return event.message;
}

inline std::string event_of(const Record& record) {
  Protobuf summary, event;
  for (const auto& [name, number] : record.values) {
    Protobuf value;
    value.put(1, record.phase + '/' + name);
    value.put(2, static_cast<float>(number));
    summary.put(1, value.message);
  }
  event.put(1, record.time);
  if (record.step != 0) event.put(2, static_cast<std::uint64_t>(record.step));  // 0 is the default
  event.put(5, summary.message);
  return event.message;
}

// The step of an event that was written here.
inline std::int64_t step_of_event(std::string_view payload, const std::string& where) {
  io::ByteReader event(io::as_bytes(payload), where);
  const bool has_time = event.u8() == (1 << 3 | Protobuf::fixed64);
  check(has_time, where, "an event that was not written by this program");
  event.u64();
  if (event.done() || event.u8() != (2 << 3 | Protobuf::varint)) return 0;
  std::uint64_t step = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    const std::uint8_t byte = event.u8();
    step |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return static_cast<std::int64_t>(step);
  }
  fail(where, "an event's step is out of range");
}

}  // namespace detail

// The folder holds one event file, named by the time of its first record and this machine.
// TensorBoard, if it is looking on while a run is rewound, has to be started again.
class TensorBoardLog final : public RecordSink {
 public:
  explicit TensorBoardLog(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
      check(!file_, folder_, "expected one event file, got ", file_ ? file_->path() : "", " and ",
            entry.path().string());
      file_.emplace(entry.path().string());
    }
    keep([](std::int64_t) { return true; });
  }

  void write(const Record& record) override {
    detail::check_record(record);
    std::string text = tfrecord(detail::event_of(record));
    if (!file_) {
      const auto seconds = static_cast<std::int64_t>(record.time);
      file_.emplace(str(folder_, '/', prefix, seconds, '.', host(), suffix));
      text.insert(0, tfrecord(detail::event_of_version(record.time)));
    }
    file_->append(text);
  }

  void rewind(std::int64_t step) override {
    keep([step](std::int64_t recorded) { return recorded <= step; });
  }

 private:
  static constexpr std::string_view prefix = "events.out.tfevents.";
  static constexpr std::string_view suffix = ".mien";  // TensorBoard reads names with any ending

  static std::string host() {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "host";
    return name;
  }

  // Drops the records that `keeps` does not hold for, and one that was cut short; without any left,
  // the file goes too.
  template <class Keeps>
  void keep(Keeps keeps) {
    if (!file_) return;
    const std::string content = file_->content();
    io::ByteReader reader(io::as_bytes(content), file_->path());
    std::string kept;
    int events = 0;  // the first, the file's version, reads as one of step 0
    for (std::size_t start = 0; const auto payload = read_tfrecord(reader);
         start = reader.position()) {
      if (!keeps(detail::step_of_event(*payload, file_->path()))) continue;
      kept.append(content, start, reader.position() - start);
      ++events;
    }
    if (events > 1) {
      if (kept != content) file_->replace(kept);
    } else {
      std::filesystem::remove(file_->path());
      file_.reset();
    }
  }

  std::string folder_;
  std::optional<AppendedFile> file_;  // made with the first record
};

}  // namespace mien::train
