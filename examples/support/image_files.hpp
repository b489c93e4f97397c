#pragma once
// Which images a program works on.

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::programs {

namespace fs = std::filesystem;

struct ImageFile {
  fs::path path;
  fs::path folder;  // below the folder that was given; empty for its own files
};

// ".jpg" of photo.JPG.
inline std::string lower_case_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

// `input` itself if it is no folder, whatever its name: a wrong file is told when it is read. Of a
// folder the files with an image's extension, sorted by path; hidden ones are left out.
inline std::vector<ImageFile> image_files(const fs::path& input, bool recursive) {
  constexpr std::array extensions = {".png", ".jpg", ".jpeg", ".bmp"};
  const auto is_image = [&](const fs::path& path) {
    const std::string extension = lower_case_extension(path);
    return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
  };
  check(fs::exists(input), input.string(), "there is no such file or folder");
  if (!fs::is_directory(input)) return {{input, {}}};
  std::vector<ImageFile> files;
  for (fs::recursive_directory_iterator at(input), end; at != end; ++at) {
    const fs::path& path = at->path();
    const bool hidden = path.filename().string().starts_with('.');
    if (at->is_directory()) {
      if (hidden || !recursive) at.disable_recursion_pending();
    } else if (!hidden && is_image(path)) {
      files.push_back({path, path.parent_path().lexically_relative(input).lexically_normal()});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const ImageFile& a, const ImageFile& b) { return a.path < b.path; });
  for (ImageFile& file : files)
    if (file.folder == ".") file.folder.clear();
  check(!files.empty(), input.string(), "the folder holds no .png, .jpg or .bmp files",
        recursive ? "" : " (-r looks into its folders)");
  return files;
}

}  // namespace mien::programs
