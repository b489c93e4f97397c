#pragma once
// CsvReader: a table as text, one row a line, of unknown origin. Strict: what is not as the caller
// says is an error that names file, line and column:
//   [training.csv:12] valence: expected a number, got 'x'

#include <algorithm>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/byte_reader.hpp>
#include <mien/io/parse_number.hpp>
#include <mien/io/printable.hpp>

namespace mien::io {

struct CsvOptions {
  char separator = ',';
  bool quoting = false;  // "a, ""b""" as in RFC 4180, but a field never spans lines
  bool trim = false;     // spaces around a field are not part of it
  std::size_t max_line = std::size_t{1} << 20;  // bytes
  std::size_t max_fields = 10'000;
};

// Lines end with \n or \r\n; empty ones are passed over, and so is a byte order mark. An error
// leaves the reader at the end of the line at fault: next() goes on behind it.
class CsvReader {
 public:
  // `name` stands for the text in errors; the text must outlive the reader.
  CsvReader(std::string_view text, std::string name, const CsvOptions& options = {})
      : rest_(text), name_(std::move(name)), options_(options) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }
  static CsvReader open(const std::string& path, const CsvOptions& options = {}) {
    MappedFile file(path);
    CsvReader reader(as_text(file.bytes()), path, options);
    reader.file_ = std::move(file);
    return reader;
  }

  // Names the columns; every row must have as many fields from here on.
  void set_columns(std::vector<std::string> names) { columns_ = std::move(names); }

  // Takes the next row as the names of the columns.
  void read_header() {
    columns_.clear();
    check(next(), name_, "is empty, expected a header");
    set_columns({fields_.begin(), fields_.end()});
  }

  // The place of the column of this name in the header.
  std::size_t column(std::string_view name) const {
    const auto found = std::find(columns_.begin(), columns_.end(), name);
    if (found == columns_.end()) {
      std::string names;
      for (const std::string& known : columns_) names += (names.empty() ? "" : ",") + known;
      fail(where(), str("expected a column ", name, ", got ", printable(names)));
    }
    return static_cast<std::size_t>(found - columns_.begin());
  }

  // Goes to the next row; false at the end.
  bool next() {
    fields_.clear();
    std::string_view line;
    do {
      if (rest_.empty()) return false;
      line = take_line();
    } while (line.empty());
    if (line.size() > options_.max_line)
      fail(where(), str("a line of ", line.size(), " bytes, expected at most ", options_.max_line));
    split(line);
    if (!columns_.empty() && fields_.size() != columns_.size())
      fail(where(), str("expected ", columns_.size(), " fields, got ", fields_.size()));
    return true;
  }

  // The row's fields; they stay valid until next().
  std::size_t size() const { return fields_.size(); }
  std::string_view operator[](std::size_t column) const {
    if (column >= fields_.size())
      fail(where(), str("expected a field ", column + 1, ", the row has ", fields_.size()));
    return fields_[column];
  }

  template <ParsedNumber T>
  T number(std::size_t column) const {
    const auto value = parse_number<T>((*this)[column]);
    expect(value.has_value(), column, std::integral<T> ? "a whole number" : "a number");
    return *value;
  }

  // Throws "[file:line] column: expected `what`, got 'the field'" unless `condition` holds.
  void expect(bool condition, std::size_t column, std::string_view what) const {
    if (condition) return;
    const std::string name =
        column < columns_.size() ? columns_[column] : str("field ", column + 1);
    fail(where(), str(name, ": expected ", what, ", got '", printable((*this)[column]), "'"));
  }

  // The row's place: "training.csv:12".
  std::string where() const { return str(name_, ':', line_); }

 private:
  std::string_view take_line() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void split(std::string_view line) {
    unquoted_.clear();
    unquoted_.reserve(line.size());  // fields are views into it: it must not move
    for (;;) {
      skip_spaces(line);
      const bool quoted = options_.quoting && line.starts_with('"');
      fields_.push_back(quoted ? take_quoted(line) : take_plain(line));
      if (fields_.size() > options_.max_fields)
        fail(where(), str("expected at most ", options_.max_fields, " fields"));
      if (quoted) skip_spaces(line);
      if (line.empty()) return;
      if (line.front() != options_.separator)
        fail(where(), str("field ", fields_.size(), ": text after the closing quote"));
      line.remove_prefix(1);
    }
  }

  void skip_spaces(std::string_view& line) const {
    while (options_.trim && line.starts_with(' ')) line.remove_prefix(1);
  }

  std::string_view take_plain(std::string_view& line) const {
    std::string_view field = line.substr(0, line.find(options_.separator));
    line.remove_prefix(field.size());
    while (options_.trim && field.ends_with(' ')) field.remove_suffix(1);
    return field;
  }

  std::string_view take_quoted(std::string_view& line) {
    const std::size_t first = unquoted_.size();
    for (std::size_t at = 1; at < line.size(); ++at) {
      if (line[at] == '"' && !line.substr(at + 1).starts_with('"')) {
        line.remove_prefix(at + 1);
        return std::string_view(unquoted_).substr(first);
      }
      at += line[at] == '"';  // the first of two
      unquoted_ += line[at];
    }
    fail(where(), str("field ", fields_.size() + 1, ": expected a closing quote"));
  }

  std::optional<MappedFile> file_;
  std::string_view rest_;  // behind the row
  std::string name_;
  CsvOptions options_;
  std::vector<std::string> columns_;
  std::vector<std::string_view> fields_;
  std::string unquoted_;  // fields that stood in quotes
  std::size_t line_ = 0;
};

}  // namespace mien::io
