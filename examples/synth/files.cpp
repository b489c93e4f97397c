#include "files.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>

#include <mien/core/parallel.hpp>
#include <mien/data/image_encode.hpp>
#include <mien/io/atomic_file.hpp>
#include <mien/train/interrupt.hpp>
#include <mien/train/progress.hpp>

namespace mien::synth {
namespace {

namespace fs = std::filesystem;

void make_folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty()) fs::create_directories(folder);
}

// The header takes a multiple of 64 bytes (numpy.lib.format, version 1.0).
void write_npy(const std::string& path, const std::string& type, const std::string& shape,
               io::Bytes values) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.append(63 - (header.size() + 10) % 64, ' ');
  header += '\n';
  std::string start("\x93NUMPY\x01\x00", 8);
  start += static_cast<char>(header.size() % 256);
  start += static_cast<char>(header.size() / 256);
  start += header;
  make_folder_of(path);
  std::ofstream file(path, std::ios::binary);
  file.write(start.data(), static_cast<std::streamsize>(start.size()));
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size()));
  check(file.flush().good(), path, "cannot be written");
}

}  // namespace

void write_each(std::string_view name, std::int64_t count,
                const std::function<void(std::int64_t)>& write_one) {
  constexpr std::int64_t block = 64;  // between two looks at Ctrl-C
  train::Progress progress;
  progress.begin({.label = std::string(name), .total = static_cast<double>(count), .unit = "img"});
  for (std::int64_t done = 0; done < count; done += block) {
    parallel_for(std::min(block, count - done), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) write_one(done + i);
    });
    progress.update(static_cast<double>(std::min(done + block, count)));
    train::throw_if_interrupted();
  }
}

void write_jpeg(const std::string& path, const data::Image& image, int quality) {
  const auto bytes = data::encode_jpeg(image, {.jpeg_quality = quality});
  make_folder_of(path);
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  check(file.flush().good(), path, "cannot be written");
}

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) (text += line) += '\n';
  make_folder_of(path);
  io::AtomicFile file(path);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

void write_npy(const std::string& path, std::string_view text) {
  const std::u32string wide(text.begin(), text.end());  // NumPy's <U is UTF-32
  write_npy(path, "<U" + std::to_string(wide.size()), "()", std::as_bytes(std::span(wide)));
}

void write_npy(const std::string& path, const std::vector<double>& values) {
  write_npy(path, "<f8", '(' + std::to_string(values.size()) + ",)",
            std::as_bytes(std::span(values)));
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void check_new(const std::string& folder) {
  check(!fs::exists(folder), folder, "is there already; expected a new folder");
}

std::string decimal(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, std::round(value * scale) / scale + 0.0);
  return text;
}

}  // namespace mien::synth
