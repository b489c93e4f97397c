#pragma once
// ProtoReader: goes through the fields of one protobuf message
// (protobuf.dev/programming-guides/encoding). Messages inside are bytes for another reader.

#include <cstdint>
#include <string>
#include <utility>

#include <mien/io/byte_reader.hpp>

namespace mien::weights {

class ProtoReader {
 public:
  ProtoReader(io::Bytes message, std::string where) : reader_(message, std::move(where)) {}

  // Goes to the next field; false at the end.
  bool next() {
    if (reader_.done()) return false;
    const std::uint64_t key = varint();
    check(key >> 3 > 0 && key >> 3 < 1u << 29, where(), "protobuf field ", key >> 3);
    field_ = static_cast<std::uint32_t>(key >> 3);
    wire_ = static_cast<unsigned>(key & 7);
    number_ = 0;
    bytes_ = {};
    switch (wire_) {
      case 0:
        number_ = varint();
        break;
      case 1:
        bytes_ = reader_.take(8);
        break;
      case 2:
        bytes_ = reader_.take(varint());
        break;
      case 5:
        bytes_ = reader_.take(4);
        break;
      default:
        fail(where(), str("protobuf wire type ", wire_, " at offset ", reader_.position()));
    }
    return true;
  }

  std::uint32_t field() const { return field_; }
  bool is_message() const { return wire_ == 2; }
  const std::string& where() const { return reader_.where(); }

  // The value as a number (wire type 0), or as bytes (every other one).
  std::uint64_t number() const {
    check(wire_ == 0, where(), "protobuf field ", field_, " is not a number");
    return number_;
  }
  io::Bytes bytes() const {
    check(wire_ != 0, where(), "protobuf field ", field_, " is a number");
    return bytes_;
  }
  std::string_view text() const { return io::as_text(bytes()); }

  // Calls use(number) for the value or values: repeated numbers may be packed into one field.
  template <class Use>
  void numbers(Use&& use) const {
    if (wire_ == 0) return use(number_);
    ProtoReader packed(bytes_, where());
    while (!packed.reader_.done()) use(packed.varint());
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const std::uint8_t byte = reader_.u8();
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7fu) << shift;
      if (byte < 0x80) return value;
    }
    fail(where(), str("a protobuf number without end at offset ", reader_.position()));
  }

  io::ByteReader reader_;
  std::uint32_t field_ = 0;
  unsigned wire_ = 0;
  std::uint64_t number_ = 0;
  io::Bytes bytes_;
};

}  // namespace mien::weights
