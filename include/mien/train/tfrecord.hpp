#pragma once
// TFRecord: the framing of TensorBoard's event files. A record is
//
//   u64 length | u32 masked CRC of the length | payload | u32 masked CRC of the payload
//
// in little-endian order, with CRC-32C (Castagnoli; RFC 3720, section 12.1).
// Source: tensorflow/core/lib/io/record_writer.cc, tensorflow/core/lib/hash/crc32c.h.

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mien/core/error.hpp>
#include <mien/io/byte_reader.hpp>

namespace mien::train {

namespace detail {

constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0u);
    table[byte] = crc;
  }
  return table;
}();

template <std::unsigned_integral U>
void append_little(std::string& out, U value) {
  for (std::size_t i = 0; i < sizeof(U); ++i)
    out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

}  // namespace detail

inline std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char byte : bytes)
    crc = (crc >> 8) ^ detail::crc32c_table[(crc ^ static_cast<unsigned char>(byte)) & 0xffu];
  return ~crc;
}

// A CRC over bytes that hold CRCs is weak, so stored ones are rotated and shifted.
inline std::uint32_t masked_crc32c(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

inline std::string tfrecord(std::string_view payload) {
  std::string length, record;
  detail::append_little(length, std::uint64_t{payload.size()});
  record = length;
  detail::append_little(record, masked_crc32c(length));
  record += payload;
  detail::append_little(record, masked_crc32c(payload));
  return record;
}

// The payload of the next record; empty where the file ends within it. Throws where it is damaged.
inline std::optional<std::string_view> read_tfrecord(io::ByteReader& reader) {
  constexpr std::uint64_t head = 12, tail = 4;
  if (reader.remaining() < head) return std::nullopt;
  const std::size_t start = reader.position();
  const std::string_view length_bytes = io::as_text(reader.take(8));
  const bool length_holds = reader.u32() == masked_crc32c(length_bytes);
  check(length_holds, reader.where(), "the record at offset ", start, " has a damaged length");
  reader.seek(start);
  const std::uint64_t length = reader.u64();
  reader.seek(start + head);
  if (reader.remaining() < tail || length > reader.remaining() - tail) return std::nullopt;
  const std::string_view payload = io::as_text(reader.take(length));
  const bool payload_holds = reader.u32() == masked_crc32c(payload);
  check(payload_holds, reader.where(), "the record at offset ", start, " is damaged");
  return payload;
}

}  // namespace mien::train
