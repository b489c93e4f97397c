#pragma once
// Tables of golden cases: one case a line, fields between commas, no quoting.

#include <string>
#include <string_view>
#include <vector>

#include <mien/io/byte_reader.hpp>

namespace mien::test {

inline std::vector<std::vector<std::string>> read_csv(const std::string& path) {
  const io::MappedFile file(path);
  io::ByteReader reader(file.bytes(), path);
  std::vector<std::vector<std::string>> table;
  while (!reader.done()) {
    std::string_view line = reader.line();
    std::vector<std::string>& row = table.emplace_back();
    for (auto comma = line.find(','); comma != std::string_view::npos; comma = line.find(',')) {
      row.emplace_back(line.substr(0, comma));
      line.remove_prefix(comma + 1);
    }
    row.emplace_back(line);
  }
  return table;
}

}  // namespace mien::test
