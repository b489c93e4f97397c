#pragma once
// How annotations are read: strictly, where the first bad row throws, or leniently, where bad rows
// are left out, counted and told.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <mien/io/csv.hpp>

namespace mien::affect {

// What a lenient reader left out, and why.
struct Omissions {
  static constexpr std::size_t max_reasons = 100;

  std::int64_t bad_rows = 0;
  std::int64_t missing_images = 0;   // rows whose image is not there
  std::vector<std::string> reasons;  // the first ones, as a strict reader throws them

  void add(std::string reason) {
    if (reasons.size() < max_reasons) reasons.push_back(std::move(reason));
  }
};

struct ReadOptions {
  Omissions* omissions = nullptr;  // null: strict
  bool check_images = true;        // look whether each row's image is there
};

// Thrown for a row whose image is not there.
class MissingImage : public Error {
 public:
  using Error::Error;
};

// Runs f(), which reads one row. What it throws is an omission where `options` are lenient.
template <class F>
void read_row(const ReadOptions& options, F&& f) {
  if (options.omissions == nullptr) return f();
  try {
    f();
  } catch (const MissingImage& error) {
    ++options.omissions->missing_images;
    options.omissions->add(error.what());
  } catch (const Error& error) {
    ++options.omissions->bad_rows;
    options.omissions->add(error.what());
  }
}

// Runs f() on each row of `csv`.
template <class F>
void each_row(io::CsvReader& csv, const ReadOptions& options, F&& f) {
  bool more = true;
  while (more) {
    read_row(options, [&] {
      more = csv.next();
      if (more) f();
    });
  }
}

inline void check_image(const std::string& path, const std::string& where,
                        const ReadOptions& options) {
  std::error_code ignored;
  if (options.check_images && !std::filesystem::is_regular_file(path, ignored))
    throw MissingImage(str('[', where, "] there is no image ", io::printable(path)));
}

// True for the path of a file inside a folder: relative, and never up.
inline bool stays_inside(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != path.npos) return false;
  for (const auto& part : std::filesystem::path(path))
    if (part == "..") return false;
  return true;
}

// The image that column `column` names, relative to `folder`.
inline std::string image_path(const io::CsvReader& csv, std::size_t column,
                              const std::string& folder, const ReadOptions& options) {
  csv.expect(stays_inside(csv[column]), column, "a path inside the folder of images");
  std::string path = str(folder, '/', csv[column]);
  check_image(path, csv.where(), options);
  return path;
}

}  // namespace mien::affect
