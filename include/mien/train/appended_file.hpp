#pragma once
// AppendedFile: a file that grows by whole records, and is written anew where some must go.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/atomic_file.hpp>
#include <mien/io/byte_reader.hpp>
#include <mien/io/mapped_file.hpp>

namespace mien::train {

class AppendedFile {
 public:
  // Made if it is not there.
  explicit AppendedFile(std::string path) : path_(std::move(path)) { open(); }

  const std::string& path() const { return path_; }
  std::string content() const { return std::string(io::as_text(io::MappedFile(path_).bytes())); }

  // Throws, and leaves the file as it was, where the system does not take all of `text`.
  void append(std::string_view text) {
    struct stat before {};
    check(::fstat(file_->get(), &before) == 0, path_, io::detail::last_error());
    while (!text.empty()) {
      const auto written = ::write(file_->get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        const std::string reason = to_string(io::detail::last_error());
        const bool undone = ::ftruncate(file_->get(), before.st_size) == 0;
        fail(path_, "cannot be written: " + reason + (undone ? "" : "; its last record is torn"));
      }
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  // Atomically.
  void replace(std::string_view content) {
    io::AtomicFile file(path_);
    file.write(io::as_bytes(content));
    file.commit();
    open();
  }

 private:
  void open() {
    file_.emplace(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    check(file_->valid(), path_, "cannot be opened: ", io::detail::last_error());
  }

  std::string path_;
  std::optional<io::detail::Descriptor> file_;
};

// The lines of a log. What follows the last line feed is a line that was cut short: left out.
inline std::vector<std::string_view> whole_lines(std::string_view content) {
  std::vector<std::string_view> lines;
  for (auto end = content.find('\n'); end != content.npos; end = content.find('\n')) {
    lines.push_back(content.substr(0, end));
    content.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace mien::train
