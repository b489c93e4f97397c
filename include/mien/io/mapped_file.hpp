#pragma once
// MappedFile: a whole file mapped into memory, read-only.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <mien/core/error.hpp>

namespace mien::io {

using Bytes = std::span<const std::byte>;

namespace detail {

// What errno says, as part of a message: looked up when the message is made. As a text among the
// arguments of check() it could be older than the call in the condition.
struct LastError {};
inline std::string to_string(LastError) { return std::generic_category().message(errno); }
inline LastError last_error() { return {}; }

// An open file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // False where the system reports an error that a write had deferred.
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

}  // namespace detail

// The file must not be truncated by others while it is mapped.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const detail::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    check(file.valid(), path, "cannot be opened: ", detail::last_error());
    struct stat status {};
    check(::fstat(file.get(), &status) == 0, path, detail::last_error());
    check(S_ISREG(status.st_mode), path, "is not a regular file");
    size_ = static_cast<std::size_t>(status.st_size);
    if (size_ == 0) return;
    void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
    check(data != MAP_FAILED, path, "cannot be mapped: ", detail::last_error());
    data_ = data;
  }
  MappedFile(MappedFile&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedFile& operator=(MappedFile other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedFile() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }

  Bytes bytes() const { return {static_cast<const std::byte*>(data_), size_}; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mien::io
