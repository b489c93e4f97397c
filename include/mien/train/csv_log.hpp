#pragma once
// CsvLog: a run's history as a table for spreadsheets and pandas (RFC 4180, with line feeds).
//
//   epoch,step,time,phase,loss,accuracy
//   1,100,1700000000.5,train,2.125,
//   1,100,1700000002,val,1.5,0.625
//
// A value that comes up later than the first record gets a column at the end, empty in the rows
// before; a value that a record lacks is an empty field.

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <mien/train/appended_file.hpp>
#include <mien/train/record.hpp>
#include <mien/train/text.hpp>

namespace mien::train {

namespace detail {

constexpr std::string_view csv_fixed_columns = "epoch,step,time,phase";
constexpr std::size_t csv_fixed_count = 4;

inline std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char symbol : text) quoted.append(symbol == '"' ? 2 : 1, symbol);
  return quoted + '"';
}

inline std::vector<std::string> csv_fields(std::string_view line, std::string_view where) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char symbol = line[i];
    if (quoted && symbol == '"' && i + 1 < line.size() && line[i + 1] == '"')
      fields.back() += line[++i];
    else if (symbol == '"')
      quoted = !quoted;
    else if (symbol == ',' && !quoted)
      fields.emplace_back();
    else
      fields.back() += symbol;
  }
  check(!quoted, where, "a quote is not closed");
  return fields;
}

template <class Number>
Number csv_number(std::string_view text, std::string_view where) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  check(error == std::errc() && end == text.data() + text.size(), where, "expected a number, got ",
        io::json_string(text));
  return number;
}

// The names of the values from a table's first line.
inline std::vector<std::string> csv_columns(std::string_view line, std::string_view path) {
  check(line == csv_fixed_columns || line.starts_with(str(csv_fixed_columns, ',')), str(path, ":1"),
        "expected a first line that begins with ", csv_fixed_columns, ", got ",
        io::json_string(line.substr(0, 100)));
  std::vector<std::string> fields = csv_fields(line, str(path, ":1"));
  fields.erase(fields.begin(), fields.begin() + csv_fixed_count);
  return fields;
}

inline Record csv_record(std::string_view line, const std::vector<std::string>& columns,
                         std::string_view where) {
  const std::vector<std::string> fields = csv_fields(line, where);
  check(fields.size() == csv_fixed_count + columns.size(), where, "expected ",
        csv_fixed_count + columns.size(), " fields, got ", fields.size());
  Record record{.epoch = csv_number<std::int64_t>(fields[0], where),
                .step = csv_number<std::int64_t>(fields[1], where),
                .time = csv_number<double>(fields[2], where),
                .phase = fields[3]};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string& field = fields[csv_fixed_count + i];
    if (!field.empty()) record.values.emplace_back(columns[i], csv_number<double>(field, where));
  }
  return record;
}

}  // namespace detail

// The records of a table that CsvLog wrote. Errors name file and line.
inline std::vector<Record> read_csv_log(const std::string& path) {
  const io::MappedFile file(path);
  const auto lines = whole_lines(io::as_text(file.bytes()));
  std::vector<Record> records;
  if (lines.empty()) return records;
  const auto columns = detail::csv_columns(lines[0], path);
  for (std::size_t i = 1; i < lines.size(); ++i)
    records.push_back(detail::csv_record(lines[i], columns, str(path, ':', i + 1)));
  return records;
}

class CsvLog final : public RecordSink {
 public:
  explicit CsvLog(const std::string& path) : file_(path) {
    keep([](std::int64_t) { return true; });
  }

  void write(const Record& record) override {
    detail::check_record(record);
    const std::size_t known = columns_.size();
    for (const auto& [name, value] : record.values)
      if (std::find(columns_.begin(), columns_.end(), name) == columns_.end())
        columns_.push_back(name);
    if (empty_ || columns_.size() > known) widen(columns_.size() - known);
    file_.append(row(record));
  }

  void rewind(std::int64_t step) override {
    keep([step](std::int64_t recorded) { return recorded <= step; });
  }

 private:
  std::string header() const {
    std::string line(detail::csv_fixed_columns);
    for (const std::string& column : columns_) line += ',' + detail::csv_field(column);
    return line + '\n';
  }

  std::string row(const Record& record) const {
    std::string line = str(record.epoch, ',', record.step, ',', shortest(record.time), ',',
                           detail::csv_field(record.phase));
    for (const std::string& column : columns_) {
      line += ',';
      for (const auto& [name, value] : record.values)
        if (name == column) line += shortest(value);
    }
    return line + '\n';
  }

  // Writes the table anew with the columns known by now, `more` of them not yet in its rows.
  void widen(std::size_t more) {
    const std::string content = file_.content();
    std::string table = header();
    const auto lines = whole_lines(content);
    for (std::size_t i = 1; i < lines.size(); ++i)
      table.append(lines[i]).append(more, ',').append(1, '\n');
    file_.replace(table);
    empty_ = false;
  }

  // Drops the rows that `keeps` does not hold for, and a row that was cut short; without any row,
  // the first line goes too.
  template <class Keeps>
  void keep(Keeps keeps) {
    const std::string content = file_.content();
    const auto lines = whole_lines(content);
    std::string table;
    if (!lines.empty()) {
      columns_ = detail::csv_columns(lines[0], file_.path());
      table.append(lines[0]).append(1, '\n');
    }
    const std::size_t without_rows = table.size();
    for (std::size_t i = 1; i < lines.size(); ++i) {
      const auto where = str(file_.path(), ':', i + 1);
      if (keeps(detail::csv_record(lines[i], columns_, where).step))
        table.append(lines[i]).append(1, '\n');
    }
    empty_ = table.size() == without_rows;
    if (empty_) {
      table.clear();
      columns_.clear();
    }
    if (table != content) file_.replace(table);
  }

  AppendedFile file_;
  std::vector<std::string> columns_;  // names of the values, as in the first line
  bool empty_ = true;                 // has no first line yet
};

}  // namespace mien::train
