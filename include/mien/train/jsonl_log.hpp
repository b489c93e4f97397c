#pragma once
// JsonlLog: a run's history as JSON, one object a line (jsonlines.org).
//
//   {"epoch":1,"step":100,"time":1700000000.5,"phase":"train","loss":2.125}
//
// JSON has no NaN and no infinity: they become null.

#include <cmath>
#include <string>
#include <string_view>

#include <mien/io/json_reader.hpp>
#include <mien/train/appended_file.hpp>
#include <mien/train/record.hpp>
#include <mien/train/text.hpp>

namespace mien::train {

class JsonlLog final : public RecordSink {
 public:
  explicit JsonlLog(const std::string& path) : file_(path) {
    keep([](std::int64_t) { return true; });
  }

  void write(const Record& record) override {
    detail::check_record(record);
    std::string line =
        str("{\"epoch\":", record.epoch, ",\"step\":", record.step,
            ",\"time\":", shortest(record.time), ",\"phase\":", io::json_string(record.phase));
    for (const auto& [name, value] : record.values)
      line += str(',', io::json_string(name), ':', std::isfinite(value) ? shortest(value) : "null");
    file_.append(line + "}\n");
  }

  void rewind(std::int64_t step) override {
    keep([step](std::int64_t recorded) { return recorded <= step; });
  }

 private:
  static std::int64_t step_of(std::string_view line, const std::string& where) {
    io::JsonReader json(line, where);
    const auto number = [&](std::string_view key) {
      const std::string found = json.string();
      check(found == key, where, "expected \"", key, "\", got ", io::json_string(found));
      json.expect(':');
      return static_cast<std::int64_t>(json.unsigned_integer());
    };
    json.expect('{');
    number("epoch");
    json.expect(',');
    return number("step");
  }

  // Drops the lines that `keeps` does not hold for, and one that was cut short.
  template <class Keeps>
  void keep(Keeps keeps) {
    const std::string content = file_.content();
    std::string kept;
    int number = 0;
    for (const std::string_view line : whole_lines(content))
      if (keeps(step_of(line, str(file_.path(), ':', ++number)))) kept.append(line).append(1, '\n');
    if (kept != content) file_.replace(kept);
  }

  AppendedFile file_;
};

}  // namespace mien::train
