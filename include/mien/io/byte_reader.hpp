#pragma once
// ByteReader: a cursor over bytes of unknown origin. Every read is checked; an error names the
// place (a file and an entry in it) and the offset.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <mien/core/error.hpp>
#include <mien/io/mapped_file.hpp>

namespace mien::io {

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

class ByteReader {
 public:
  ByteReader(Bytes data, std::string where) : data_(data), where_(std::move(where)) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return data_.size() - position_; }
  bool done() const { return position_ == data_.size(); }
  const std::string& where() const { return where_; }

  void seek(std::uint64_t position) {
    check(position <= data_.size(), where_, "offset ", position, " is beyond the end (",
          data_.size(), " bytes)");
    position_ = static_cast<std::size_t>(position);
  }

  Bytes take(std::uint64_t size) {
    check(size <= remaining(), where_, "ends early: ", size, " bytes wanted at offset ", position_,
          ", ", remaining(), " left");
    const Bytes taken = data_.subspan(position_, static_cast<std::size_t>(size));
    position_ += taken.size();
    return taken;
  }

  // A little-endian unsigned integer.
  template <std::unsigned_integral U>
  U little() {
    U value = 0;
    int shift = 0;
    for (const std::byte byte : take(sizeof(U))) {
      value = static_cast<U>(value | (static_cast<U>(std::to_integer<U>(byte)) << shift));
      shift += 8;
    }
    return value;
  }
  std::uint8_t u8() { return little<std::uint8_t>(); }
  std::uint16_t u16() { return little<std::uint16_t>(); }
  std::uint32_t u32() { return little<std::uint32_t>(); }
  std::uint64_t u64() { return little<std::uint64_t>(); }

  // The text up to the next line feed, which is skipped and must be there.
  std::string_view line() {
    const auto rest = as_text(data_.subspan(position_));
    const auto end = rest.find('\n');
    check(end != std::string_view::npos, where_, "a line without end at offset ", position_);
    position_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  Bytes data_;
  std::string where_;
  std::size_t position_ = 0;
};

}  // namespace mien::io
