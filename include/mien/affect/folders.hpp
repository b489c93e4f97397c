#pragma once
// What is in a folder, in the order of the bytes of the names: the same on every file system.

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <mien/core/error.hpp>

namespace mien::affect {

inline bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}
inline bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

namespace detail {

template <class Wanted>
std::vector<std::string> names_in(const std::string& folder, Wanted&& wanted) {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error))
    if (std::string name = at->path().filename().string(); wanted(*at, name))
      names.push_back(std::move(name));
  check(!error, folder, "cannot be listed: ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace detail

// The names of the folders in a folder, but hidden ones.
inline std::vector<std::string> subfolders(const std::string& folder) {
  return detail::names_in(folder, [](const auto& entry, const std::string& name) {
    return !name.starts_with('.') && is_folder(entry.path().string());
  });
}

// The names of a folder's files that end so, in capitals or not; endings are in small letters.
inline std::vector<std::string> files_ending(const std::string& folder,
                                             std::initializer_list<std::string_view> endings) {
  return detail::names_in(folder, [&](const auto&, std::string name) {
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return !name.starts_with('.') && std::any_of(endings.begin(), endings.end(), [&](auto ending) {
      return name.ends_with(ending);
    });
  });
}

}  // namespace mien::affect
