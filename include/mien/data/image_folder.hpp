#pragma once
// ImageFolder: a folder of classes, each a sub-folder of images, as torchvision's ImageFolder reads
// it. Needs the library mien::image.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mien/core/random.hpp>
#include <mien/data/image_convert.hpp>
#include <mien/data/image_decode.hpp>

namespace mien::data {

struct ImageFolderOptions {
  // Endings of the files that count, in lower case; compared without regard to case. These are
  // torchvision's; mien decodes JPEG, PNG and BMP, and get() of another one throws.
  std::vector<std::string> extensions = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                         ".pgm", ".tif",  ".tiff", ".webp"};
  // Throws at the first thing that is wrong: a class without images, an image file that is empty or
  // no regular file (a broken link), a folder that cannot be read. Else it is left out and listed
  // in problems().
  bool strict = true;
  DecodeOptions decode = {};
};

class ImageFolder {
 public:
  struct Example {
    Image image;  // red, green, blue of 8 bits
    std::int64_t label;
    std::string path;
  };

  // Finds the files below `root`; reads none. Classes are its sub-folders by name, byte by byte;
  // within a class the files follow by folder, then by name, those of sub-folders included. Links
  // are followed.
  explicit ImageFolder(const std::string& root, ImageFolderOptions options = {})
      : options_(std::move(options)) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::directory_iterator entries(root, error);
    check(!error, root, "cannot be read: ", error.message());
    for (const fs::directory_entry& entry : entries)
      if (entry.is_directory(error)) classes_.push_back(entry.path().filename().string());
    check(!classes_.empty(), root, "expected a sub-folder for each class, found none");
    std::sort(classes_.begin(), classes_.end());
    for (std::size_t label = 0; label < classes_.size(); ++label)
      add_class((fs::path(root) / classes_[label]).string(), static_cast<std::int64_t>(label));
  }

  std::int64_t size() const { return std::ssize(paths_); }

  // Image i as Pillow's convert("RGB") makes it of the file: grey is repeated, alpha is dropped. Of
  // 16 bits the high bytes are taken, for grey as well, which Pillow clips (see to_8_bits).
  Image image(std::int64_t i) const {
    return to_8_bits(to_rgb(read_image(paths_[index(i)], options_.decode)));
  }
  Example get(std::int64_t i, Generator& /*random*/) const {
    return {image(i), labels_[index(i)], paths_[index(i)]};
  }

  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<std::string>& paths() const { return paths_; }
  const std::vector<std::int64_t>& labels() const { return labels_; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  using Path = std::filesystem::path;

  std::size_t index(std::int64_t i) const {
    check(i >= 0 && i < size(), "image_folder", "image ", i, " of ", size());
    return static_cast<std::size_t>(i);
  }

  void add_class(const std::string& folder, std::int64_t label) {
    std::vector<std::string> folders;
    std::vector<Path> open;
    find_folders(folder, open, folders);
    std::sort(folders.begin(), folders.end());
    const auto before = paths_.size();
    for (const std::string& each : folders) add_files(each);
    if (paths_.size() == before) problem(folder, "has no images");
    labels_.resize(paths_.size(), label);
  }

  // Appends `folder` and all below it. `open` holds the folders that it lies in, by their real
  // paths: a link back to one of them has no end.
  void find_folders(const std::string& folder, std::vector<Path>& open,
                    std::vector<std::string>& folders) {
    namespace fs = std::filesystem;
    std::error_code error;
    const Path real = fs::canonical(folder, error);
    if (std::find(open.begin(), open.end(), real) != open.end())
      return problem(folder, "is a link to a folder that it lies in");
    fs::directory_iterator entries;
    if (!error) entries = fs::directory_iterator(folder, error);
    if (error) return problem(folder, "cannot be read: " + error.message());
    folders.push_back(folder);
    open.push_back(real);
    for (const fs::directory_entry& entry : entries)
      if (entry.is_directory(error)) find_folders(entry.path().string(), open, folders);
    open.pop_back();
  }

  void add_files(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::error_code error;
      std::string path = entry.path().string();
      if (!is_image(path) || entry.is_directory(error)) continue;
      if (!entry.is_regular_file(error))
        problem(path, "is no regular file");
      else if (entry.file_size(error) == 0)
        problem(path, "is empty");
      else
        files.push_back(std::move(path));
    }
    std::sort(files.begin(), files.end());
    paths_.insert(paths_.end(), files.begin(), files.end());
  }

  bool is_image(std::string name) const {
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return std::any_of(
        options_.extensions.begin(), options_.extensions.end(),
        [&](const std::string& end) { return std::string_view(name).ends_with(end); });
  }

  void problem(const std::string& path, const std::string& what) {
    if (options_.strict) fail(path, what);
    problems_.push_back(str('[', path, "] ", what));
  }

  ImageFolderOptions options_;
  std::vector<std::string> classes_, paths_, problems_;
  std::vector<std::int64_t> labels_;
};

}  // namespace mien::data
