#pragma once
// FolderLock: a run's claim to its folder. It ends with the process, however that ends.

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <mien/core/error.hpp>
#include <mien/io/mapped_file.hpp>

namespace mien::train {

class FolderLock {
 public:
  // Throws where another run holds the folder. The file ".lock" names that run; it stays behind,
  // since to remove it could take it from under a run that is just about to claim it.
  explicit FolderLock(const std::string& folder)
      : file_(::open((folder + "/.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    check(file_.valid(), folder, "cannot be locked: ", io::detail::last_error());
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
      check(errno == EWOULDBLOCK, folder, "cannot be locked: ", io::detail::last_error());
      char holder[320] = {};
      const auto size = ::pread(file_.get(), holder, sizeof holder - 1, 0);
      fail(folder, str("is in use by another run: ", size > 0 ? holder : "just started"));
    }
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    const std::string holder = str("process ", ::getpid(), " on ", host);
    const bool written =
        ::ftruncate(file_.get(), 0) == 0 &&
        ::pwrite(file_.get(), holder.data(), holder.size(), 0) == std::ssize(holder);
    check(written, folder, "cannot be locked: ", io::detail::last_error());
  }

 private:
  io::detail::Descriptor file_;  // flock(2) holds as long as this is open
};

}  // namespace mien::train
