#pragma once
// AtomicFile: the file at `path` is either the old one or the complete new one, also after a crash:
// written under a temporary name beside it, synced, then renamed.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include <mien/io/mapped_file.hpp>

namespace mien::io {

class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path) : path_(path), file_(create(path, temporary_)) {
    check(file_.valid(), path_, "cannot be written: ", detail::last_error());
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Without commit() nothing stays behind.
  ~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
  }

  void write(Bytes data) {
    constexpr std::size_t largest = std::size_t{1} << 30;  // one write() takes less than 2 GiB
    while (!data.empty()) {
      const auto written = ::write(file_.get(), data.data(), std::min(data.size(), largest));
      if (written < 0 && errno == EINTR) continue;
      check(written > 0, path_, "cannot be written: ", detail::last_error());
      data = data.subspan(static_cast<std::size_t>(written));
    }
  }

  // Puts the file in its place.
  void commit() {
    check(::fsync(file_.get()) == 0 && file_.close(), path_,
          "cannot be written: ", detail::last_error());
    check(::rename(temporary_.c_str(), path_.c_str()) == 0, path_,
          "cannot be replaced: ", detail::last_error());
    committed_ = true;
    const auto slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const detail::Descriptor directory(::open(folder.c_str(), O_RDONLY | O_CLOEXEC));
    if (directory.valid()) ::fsync(directory.get());  // the rename itself; not every system can
  }

 private:
  // Opens a file beside `path` under a name that nobody uses, which is put into `temporary`.
  static int create(const std::string& path, std::string& temporary) {
    struct stat status {};
    check(::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode), path,
          "is not a regular file");
    for (int attempt = 0;; ++attempt) {
      temporary = str(path, ".writing-", ::getpid(), '-', attempt);
      const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd >= 0 || errno != EEXIST || attempt == 1000) return fd;
    }
  }

  std::string path_;
  std::string temporary_;  // set while file_ is made
  detail::Descriptor file_;
  bool committed_ = false;
};

}  // namespace mien::io
