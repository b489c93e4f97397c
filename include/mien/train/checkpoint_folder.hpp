#pragma once
// CheckpointFolder: a run's checkpoints on disk, whatever is in them.
//
//   step-0000000800.safetensors  step-0000000900.safetensors  best.safetensors  .lock
//
// A file under such a name is complete, at whatever moment the run was killed: it is written under
// another name, synced and renamed.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/mapped_file.hpp>
#include <mien/train/folder_lock.hpp>

namespace mien::train {

struct Checkpoint {
  std::int64_t step = 0;
  std::string path;
};

namespace detail {

constexpr std::string_view checkpoint_prefix = "step-";
constexpr std::string_view unfinished_mark = ".writing-";  // as io::AtomicFile marks its files

inline std::string checkpoint_name(std::int64_t step, std::string_view extension) {
  const std::string digits = std::to_string(step);
  const std::string zeros(digits.size() < 10 ? 10 - digits.size() : 0, '0');
  return str(checkpoint_prefix, zeros, digits, extension);
}

// The step that a file's name tells; empty where it is no checkpoint.
inline std::optional<std::int64_t> step_of_name(std::string_view name, std::string_view extension) {
  if (!name.starts_with(checkpoint_prefix) || !name.ends_with(extension)) return std::nullopt;
  name.remove_prefix(checkpoint_prefix.size());
  if (name.size() <= extension.size() || name[0] == '-') return std::nullopt;
  name.remove_suffix(extension.size());
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return step;
}

// Waits until a file, or the names in a folder, are on the disk.
inline void sync_to_disk(const std::string& path) {
  const io::detail::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  check(file.valid(), path, "cannot be opened: ", io::detail::last_error());
  check(::fsync(file.get()) == 0 || errno == EINVAL, path,  // not every system syncs folders
        "cannot be written: ", io::detail::last_error());
}

inline void rename_file(const std::string& from, const std::string& to) {
  check(::rename(from.c_str(), to.c_str()) == 0, to,
        "cannot be replaced: ", io::detail::last_error());
}

inline void remove_file(const std::string& path) {
  check(::unlink(path.c_str()) == 0 || errno == ENOENT, path,
        "cannot be removed: ", io::detail::last_error());
}

}  // namespace detail

// The checkpoints in a folder, by step. Needs no lock: to evaluate them while a run goes on, say.
inline std::vector<Checkpoint> checkpoints_in(const std::string& folder,
                                              std::string_view extension = ".safetensors") {
  std::vector<Checkpoint> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (const auto step = detail::step_of_name(entry.path().filename().string(), extension);
        step && entry.is_regular_file())
      found.push_back({*step, entry.path().string()});
  std::sort(found.begin(), found.end(),
            [](const Checkpoint& a, const Checkpoint& b) { return a.step < b.step; });
  return found;
}

// Clears the files that a killed writer left half written (io::AtomicFile's and checkpoints).
// Nobody may be writing in the folder meanwhile.
inline void remove_unfinished(const std::string& folder) {
  std::vector<std::string> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().filename().string().find(detail::unfinished_mark) != std::string::npos)
      unfinished.push_back(entry.path().string());
  for (const std::string& path : unfinished) detail::remove_file(path);
}

struct CheckpointFolderOptions {
  int keep_last = 3;  // older ones are removed; the best one stays apart
  std::string extension = ".safetensors";
};

class CheckpointFolder {
 public:
  // Makes the folder, claims it for this run and finishes what a killed run left: files half
  // written, and old checkpoints that were to go.
  explicit CheckpointFolder(const std::string& folder, const CheckpointFolderOptions& options = {})
      : folder_(made(folder)), options_(options), lock_(folder) {
    check(options.keep_last > 0, folder, "expected to keep at least 1 checkpoint, got ",
          options.keep_last);
    remove_unfinished(folder);
    remove_old();
  }

  // write(path) makes the file at `path`. Where it throws, nothing changes. With `best`, the file
  // is also the best one from now on. Returns the checkpoint's path.
  template <class Write>
  std::string save(std::int64_t step, Write&& write, bool best = false) {
    const auto newest = latest();
    check(step >= (newest ? newest->step : 0), folder_, "step ", step, " cannot be saved after ",
          newest ? newest->step : 0);
    std::string path = folder_ + '/' + detail::checkpoint_name(step, options_.extension);
    const std::string unfinished = str(path, detail::unfinished_mark, ::getpid());
    const Removal removal{unfinished};
    write(unfinished);
    detail::sync_to_disk(unfinished);
    // First, so that no checkpoint whose state says "this is the best" is there without it.
    if (best) keep_as_best(unfinished);
    detail::rename_file(unfinished, path);
    detail::sync_to_disk(folder_);
    remove_old();
    return path;
  }

  std::optional<Checkpoint> latest() const {
    const auto all = checkpoints_in(folder_, options_.extension);
    return all.empty() ? std::nullopt : std::optional(all.back());
  }

  // Where the best checkpoint is, once one was saved as such.
  std::string best_path() const { return folder_ + "/best" + options_.extension; }

 private:
  // Removes a file, if it is still there, at the end of a scope.
  struct Removal {
    const std::string& path;
    ~Removal() { ::unlink(path.c_str()); }
  };

  static const std::string& made(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    check(!error, folder, "cannot be made: ", error.message());
    return folder;
  }

  // The same file under a second name: a checkpoint is never changed, only replaced.
  void keep_as_best(const std::string& file) {
    const std::string unfinished = str(best_path(), detail::unfinished_mark, ::getpid());
    const Removal removal{unfinished};
    if (::link(file.c_str(), unfinished.c_str()) != 0) {  // some file systems have no hard links
      std::filesystem::copy_file(file, unfinished,
                                 std::filesystem::copy_options::overwrite_existing);
      detail::sync_to_disk(unfinished);
    }
    detail::rename_file(unfinished, best_path());
  }

  void remove_old() {
    const auto all = checkpoints_in(folder_, options_.extension);
    for (std::size_t i = 0; i + static_cast<std::size_t>(options_.keep_last) < all.size(); ++i)
      detail::remove_file(all[i].path);
  }

  std::string folder_;
  CheckpointFolderOptions options_;
  FolderLock lock_;
};

}  // namespace mien::train
