#pragma once
// One line per file that failed.

#include <string>
#include <string_view>

namespace mien::programs {

// The text of an error about the file at `path`, which readers name in front: "[photo.png] the file
// is truncated" becomes "photo.png: the file is truncated".
inline std::string error_text(const std::string& path, std::string_view what) {
  const std::string named = "[" + path + "] ";
  if (what.starts_with(named)) what.remove_prefix(named.size());
  return path + ": " + std::string(what);
}

}  // namespace mien::programs
