#pragma once
// ImageCache: decoded images of one size, kept in memory or in a memory-mapped file.
//
//   data::Image image(std::int64_t i) const {
//     return cache_.get(i, [&] { return resize_pillow(to_rgb(read_image(paths_[i])), 224, 224); });
//   }
//
// File, in the byte order of the machine:
//   offset 0    header: magic, version, number and shape of the images, digest of their source
//   offset 64   (count) marks of 64 bits: 0 for an empty slot, else a digest of the slot's pixels
//   then, from a multiple of 4096 on, (count) slots of (height, width, channels) bytes
// It is sparse: 287,651 images of 224 x 224 x 3 take 43 GB once all are there.
//
// Several threads and several processes may fill one file. A slot's pixels are written before its
// mark, so a process that is killed leaves complete slots and empty ones. When the whole machine
// goes down, the system may have written a mark to disk but not yet the pixels: every read of a
// file compares pixels and mark, and a slot that does not match counts as empty.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include <mien/data/digest.hpp>
#include <mien/data/image.hpp>
#include <mien/io/atomic_file.hpp>

namespace mien::data {

struct ImageCacheOptions {
  std::string path = {};   // of the file; empty: in memory
  std::int64_t count = 0;  // images
  std::int64_t height = 0, width = 0;
  int channels = 3;
  // What the images are made of and how, such as str("AffectNet, bilinear ",
  // digest_of_files(paths)): a file that was made of something else is refused.
  std::string source = {};
};

// All members may be called by several threads at once.
class ImageCache {
 public:
  // Opens the file, or makes it where there is none. Throws where the file is no cache, is damaged,
  // or holds other images: it is never overwritten. Others must not truncate it while it is open.
  explicit ImageCache(const ImageCacheOptions& options)
      : path_(options.path),
        header_(header_of(options)),
        size_(file_size()),
        file_(open_or_make()) {
    if (!path_.empty()) check_file();
    void* memory = ::mmap(nullptr, size(), PROT_READ | PROT_WRITE,
                          path_.empty() ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED,
                          file_.get(), 0);
    check(memory != MAP_FAILED, where(), "cannot map ", size_,
          " bytes: ", io::detail::last_error());
    memory_ = static_cast<std::byte*>(memory);
  }
  ImageCache(const ImageCache&) = delete;
  ImageCache& operator=(const ImageCache&) = delete;
  ~ImageCache() { ::munmap(memory_, size()); }

  // Image i: from the cache, else what make() returns, which is kept. Either way it comes without
  // EXIF block and colour profile.
  template <std::invocable Make>
  Image get(std::int64_t i, Make&& make) const {
    Image image = find(i);
    if (image.empty()) {
      image = make();
      image.copy_metadata({});
      keep(i, image);
    }
    return image;
  }

  // Image i, empty where the cache does not have it.
  Image find(std::int64_t i) const {
    check_index(i);
    const std::uint64_t mark = mark_of(i).load(std::memory_order_acquire);
    if (mark == 0) return {};
    Image image(header_.width, header_.height, header_.channels);
    {
      const std::lock_guard lock(lock_of(i));
      std::memcpy(image.samples<std::uint8_t>().data(), memory_ + slot(i), image_size());
    }
    if (!path_.empty() && mark_for(image) != mark) return {};
    return image;
  }

  // Puts image i into its slot.
  void keep(std::int64_t i, const Image& image) const {
    check_index(i);
    check(image.height() == header_.height && image.width() == header_.width &&
              image.channels() == header_.channels && image.bits() == 8,
          where(), "image ", i, ": expected ", header_.width, " x ", header_.height, " x ",
          header_.channels, " of 8 bits, got ", image.width(), " x ", image.height(), " x ",
          image.channels(), " of ", image.bits());
    const std::lock_guard lock(lock_of(i));
    mark_of(i).store(0, std::memory_order_release);
    write(i, std::as_bytes(image.samples<std::uint8_t>()));
    mark_of(i).store(mark_for(image), std::memory_order_release);
  }

  std::int64_t count() const { return header_.count; }

  // Images that are there, damaged ones included.
  std::int64_t filled() const {
    std::int64_t filled = 0;
    for (std::int64_t i = 0; i < header_.count; ++i)
      filled += mark_of(i).load(std::memory_order_relaxed) != 0;
    return filled;
  }

 private:
  struct Header {
    char magic[8] = {'M', 'I', 'E', 'N', 'I', 'M', 'G', '\n'};
    std::uint32_t version = 1;
    std::int32_t channels = 0;
    std::int64_t count = 0, height = 0, width = 0;
    std::uint64_t source = 0;
  };
  static constexpr std::int64_t first_mark = 64, page = 4096;
  static_assert(sizeof(Header) <= first_mark);

  static Header header_of(const ImageCacheOptions& options) {
    const std::string where = options.path.empty() ? "image_cache" : options.path;
    constexpr std::int64_t most = std::int64_t{1} << 32, side = std::int64_t{1} << 20;
    check(options.count >= 0 && options.count <= most, where, "expected 0 to ", most,
          " images, got ", options.count);
    check(options.height >= 1 && options.height <= side && options.width >= 1 &&
              options.width <= side && options.channels >= 1 && options.channels <= 4,
          where, "expected images of 1 to ", side, " by 1 to ", side, " with 1 to 4 channels, got ",
          options.width, " x ", options.height, " x ", options.channels);
    return {.channels = options.channels,
            .count = options.count,
            .height = options.height,
            .width = options.width,
            .source = digest(io::as_bytes(options.source))};
  }

  std::string where() const { return path_.empty() ? "image_cache" : path_; }
  std::size_t size() const { return static_cast<std::size_t>(size_); }
  std::int64_t bytes_per_image() const { return header_.height * header_.width * header_.channels; }
  std::size_t image_size() const { return static_cast<std::size_t>(bytes_per_image()); }
  std::int64_t first_slot() const {
    return (first_mark + 8 * header_.count + page - 1) / page * page;
  }
  std::int64_t slot(std::int64_t i) const { return first_slot() + i * bytes_per_image(); }

  void check_index(std::int64_t i) const {
    check(i >= 0 && i < header_.count, where(), "image ", i, " of ", header_.count);
  }

  std::int64_t file_size() const {
    std::int64_t size = 0;
    const bool fits = !__builtin_mul_overflow(header_.count, bytes_per_image(), &size) &&
                      !__builtin_add_overflow(size, first_slot(), &size);
    check(fits, where(), "too many pixels in ", header_.count, " images of ", header_.width, " x ",
          header_.height);
    return size;
  }

  // A file is made with its marks written, so that the map has no hole there: a store into a hole
  // of a full disk would end the process. Of two processes that make one file at the same moment,
  // one goes on with a file that has lost its name.
  int open_or_make() const {
    if (path_.empty()) return -1;
    if (::access(path_.c_str(), F_OK) != 0) {
      std::string head(static_cast<std::size_t>(first_slot()), '\0');
      std::memcpy(head.data(), &header_, sizeof header_);
      io::AtomicFile made(path_);
      made.write(io::as_bytes(head));
      made.commit();
    }
    return ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }

  void check_file() const {
    check(file_.valid(), path_, "cannot be opened: ", io::detail::last_error());
    struct stat status {};
    bool done = ::fstat(file_.get(), &status) == 0;
    check(done, path_, io::detail::last_error());
    check(S_ISREG(status.st_mode), path_, "is not a regular file");
    check_header();
    check(status.st_size == size_ || status.st_size == first_slot(), path_, "is damaged: expected ",
          size_, " bytes, got ", status.st_size);
    done = ::ftruncate(file_.get(), size_) == 0;
    check(done, path_, "cannot grow to ", size_, " bytes: ", io::detail::last_error());
  }

  void check_header() const {
    Header found;
    check(::pread(file_.get(), &found, sizeof found, 0) == sizeof found &&
              std::memcmp(found.magic, header_.magic, sizeof found.magic) == 0,
          path_, "is not a cache of images");
    const auto expect = [&](const char* what, auto expected, auto got) {
      check(expected == got, path_, "holds other images: expected ", what, ' ', expected, ", got ",
            got, "; delete it, or name another file");
    };
    expect("version", header_.version, found.version);
    expect("count", header_.count, found.count);
    expect("height", header_.height, found.height);
    expect("width", header_.width, found.width);
    expect("channels", header_.channels, found.channels);
    expect("source digest", header_.source, found.source);
  }

  // Never 0, which stands for an empty slot.
  static std::uint64_t mark_for(const Image& image) {
    return digest(std::as_bytes(image.samples<std::uint8_t>())) | 1;
  }
  std::atomic_ref<std::uint64_t> mark_of(std::int64_t i) const {
    return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(memory_ + first_mark + 8 * i));
  }
  std::mutex& lock_of(std::int64_t i) const {
    return locks_[static_cast<std::size_t>(i) % locks_.size()];
  }

  // Into a file by a call of the system, not through the map: a full disk is an error then, where a
  // store would end the process.
  void write(std::int64_t i, io::Bytes pixels) const {
    if (path_.empty()) {
      std::memcpy(memory_ + slot(i), pixels.data(), pixels.size());
      return;
    }
    for (std::int64_t at = slot(i); !pixels.empty();) {
      const auto written = ::pwrite(file_.get(), pixels.data(), pixels.size(), at);
      if (written < 0 && errno == EINTR) continue;
      check(written > 0, path_, "cannot be written: ", io::detail::last_error());
      pixels = pixels.subspan(static_cast<std::size_t>(written));
      at += written;
    }
  }

  std::string path_;
  Header header_;
  std::int64_t size_;  // bytes of the file
  io::detail::Descriptor file_;
  std::byte* memory_ = nullptr;
  mutable std::array<std::mutex, 64> locks_;  // of the slots i, i + 64, ...
};

}  // namespace mien::data
