#pragma once
// Image: a decoded picture.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/core/memory.hpp>

namespace mien::data {

// What a picture may measure before memory is asked for. The defaults hold the largest photographs
// that are met (16384 x 16384) and keep hostile files small.
struct ImageLimits {
  std::int64_t max_pixels = std::int64_t{1} << 28;
  std::int64_t max_dimension = std::int64_t{1} << 20;
};

// A sample type of images: 8 or 16 bits.
template <class T>
concept Sample = std::is_same_v<T, std::uint8_t> || std::is_same_v<T, std::uint16_t>;

// Pixels (height, width, channels), interleaved, of 8 or 16 bits; channels: 1 grey, 2 grey and
// alpha, 3 red green blue, 4 red green blue alpha. Alpha is not premultiplied.
class Image {
 public:
  Image() = default;

  // Uninitialised samples.
  Image(std::int64_t width, std::int64_t height, int channels, int bits = 8)
      : width_(width), height_(height), channels_(channels), bits_(bits) {
    check(width >= 1 && height >= 1 && width <= max_side && height <= max_side, "image",
          "a size of ", width, " x ", height, ", expected 1 to ", max_side);
    check(channels >= 1 && channels <= 4, "image", "expected 1 to 4 channels, got ", channels);
    check(bits == 8 || bits == 16, "image", "expected 8 or 16 bits, got ", bits);
    std::int64_t bytes = 0;
    check(!__builtin_mul_overflow(width * height, channels * (bits / 8), &bytes), "image",
          "too many pixels in ", width, " x ", height);
    pixels_ = Pixels(static_cast<std::size_t>(bytes));
  }

  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }
  int channels() const { return channels_; }
  int bits() const { return bits_; }
  bool empty() const { return pixels_.bytes() == 0; }
  bool has_alpha() const { return channels_ == 2 || channels_ == 4; }
  bool is_grey() const { return channels_ <= 2; }
  std::int64_t samples_per_row() const { return width_ * channels_; }

  // All samples; T is uint8_t for 8 bits and uint16_t for 16.
  template <Sample T>
  std::span<const T> samples() const {
    check_type(sizeof(T));
    return {static_cast<const T*>(pixels_.data()), pixels_.bytes() / sizeof(T)};
  }
  template <Sample T>
  std::span<T> samples() {
    check_type(sizeof(T));
    return {static_cast<T*>(pixels_.data()), pixels_.bytes() / sizeof(T)};
  }
  // The samples of row y.
  template <Sample T>
  std::span<const T> row(std::int64_t y) const {
    return samples<T>().subspan(first_of_row(y), static_cast<std::size_t>(samples_per_row()));
  }
  template <Sample T>
  std::span<T> row(std::int64_t y) {
    return samples<T>().subspan(first_of_row(y), static_cast<std::size_t>(samples_per_row()));
  }

  // What came with the file and is written again with it: the ICC colour profile, and the EXIF
  // block from its TIFF header on. Empty where there was none.
  std::vector<std::byte> icc, exif;

  // An image of the same meaning but another size, depth or number of channels takes these along.
  void copy_metadata(const Image& from) {
    icc = from.icc;
    exif = from.exif;
  }

 private:
  static constexpr std::int64_t max_side = 0x7fffffff;

  // Memory from the pool that tensors come from: copied with the image, never shared.
  class Pixels {
   public:
    Pixels() = default;
    explicit Pixels(std::size_t bytes) : storage_(make_ref<Storage>(bytes)) {}
    Pixels(const Pixels& other) {
      if (!other.storage_) return;
      storage_ = make_ref<Storage>(other.bytes());
      std::memcpy(data(), other.data(), bytes());
    }
    Pixels(Pixels&&) noexcept = default;
    Pixels& operator=(Pixels other) noexcept {
      storage_ = std::move(other.storage_);
      return *this;
    }

    std::size_t bytes() const { return storage_ ? storage_->bytes() : 0; }
    void* data() const { return storage_ ? storage_->mutable_data() : nullptr; }

   private:
    Ref<Storage> storage_;
  };

  void check_type(std::size_t size) const {
    check(size * 8 == static_cast<std::size_t>(bits_), "image", "samples of ", size * 8,
          " bits asked for, the image has ", bits_);
  }
  std::size_t first_of_row(std::int64_t y) const {
    check(y >= 0 && y < height_, "image", "row ", y, " of an image of ", height_, " rows");
    return static_cast<std::size_t>(y * samples_per_row());
  }

  std::int64_t width_ = 0, height_ = 0;
  int channels_ = 1, bits_ = 8;
  Pixels pixels_;
};

// Calls f with a zero of the sample type of `image`:
//   with_sample(image, [&](auto zero) { using T = decltype(zero); ... image.samples<T>() ... });
template <class F>
decltype(auto) with_sample(const Image& image, F&& f) {
  if (image.bits() == 16) return f(std::uint16_t{});
  return f(std::uint8_t{});
}

}  // namespace mien::data
