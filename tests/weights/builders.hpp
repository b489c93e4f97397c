#pragma once
// Pickles, zip archives and protobuf messages made by hand, for tests of what no honest program
// writes.

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mien/weights/pickle_opcodes.hpp>

namespace mien::test {

// `value` in `size` little-endian bytes.
inline std::string little(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
  return bytes;
}

// A pickle, opcode by opcode.
class PickleBuilder {
 public:
  using Op = weights::pickle::Op;

  PickleBuilder& op(Op code, std::string_view rest = "") {
    data_ += static_cast<char>(code);
    data_ += rest;
    return *this;
  }
  PickleBuilder& text(std::string_view value) {
    return op(Op::binunicode, little(value.size(), 4) + std::string(value));
  }
  PickleBuilder& integer(std::int64_t value) {
    return op(Op::long1, "\x08" + little(static_cast<std::uint64_t>(value), 8));
  }
  PickleBuilder& global(std::string_view module, std::string_view name) {
    return op(Op::global, std::string(module) + "\n" + std::string(name) + "\n");
  }
  PickleBuilder& put(std::uint8_t index) { return op(Op::binput, little(index, 1)); }
  PickleBuilder& get(std::uint8_t index) { return op(Op::binget, little(index, 1)); }
  PickleBuilder& integers(const std::vector<std::int64_t>& values) {
    op(Op::mark);
    for (const auto value : values) integer(value);
    return op(Op::tuple);
  }

  // _rebuild_tensor_v2 of a FloatStorage.
  struct TensorCall {
    std::string key = "0";
    std::int64_t numel = 4, offset = 0;
    std::vector<std::int64_t> sizes = {4}, strides = {1};
    std::string storage = "FloatStorage", function = "_rebuild_tensor_v2";
  };
  PickleBuilder& tensor(const TensorCall& call) {
    global("torch._utils", call.function).op(Op::mark).op(Op::mark).text("storage");
    global("torch", call.storage).text(call.key).text("cpu").integer(call.numel);
    op(Op::tuple).op(Op::binpersid).integer(call.offset).integers(call.sizes);
    integers(call.strides).op(Op::newfalse).op(Op::none);
    return op(Op::tuple).op(Op::reduce);
  }

  std::string stop() {
    op(Op::stop);
    return data_;
  }

 private:
  std::string data_ = "\x80\x02";
};

// A zip archive without zip64. Entries may lie about themselves.
class ZipBuilder {
 public:
  struct Entry {
    std::string name, data;
    bool deflate = false;
    std::int64_t claimed_size = -1;  // instead of the true one
    std::int64_t claimed_crc = -1;
  };

  ZipBuilder& add(const Entry& entry) {
    const auto true_crc =
        ::crc32_z(0, reinterpret_cast<const Bytef*>(entry.data.data()), entry.data.size());
    const std::uint64_t crc =
        entry.claimed_crc < 0 ? true_crc : static_cast<std::uint64_t>(entry.claimed_crc);
    const std::string stored = entry.deflate ? deflated(entry.data) : entry.data;
    const std::uint64_t size =
        entry.claimed_size < 0 ? entry.data.size() : static_cast<std::uint64_t>(entry.claimed_size);
    // method, time, date, CRC, sizes, as both headers have them
    const std::string common = little(entry.deflate ? 8 : 0, 2) + little(0, 4) + little(crc, 4) +
                               little(stored.size(), 4) + little(size, 4) +
                               little(entry.name.size(), 2) + little(0, 2);
    central_ += "PK\x01\x02" + little(20, 2) + little(20, 2) + little(0, 2) + common +
                little(0, 2) + little(0, 8) + little(body_.size(), 4) + entry.name;
    body_ += "PK\x03\x04" + little(20, 2) + little(0, 2) + common + entry.name + stored;
    ++count_;
    return *this;
  }

  std::string finish() const {
    return body_ + central_ + "PK\x05\x06" + little(0, 4) + little(count_, 2) + little(count_, 2) +
           little(central_.size(), 4) + little(body_.size(), 4) + little(0, 2);
  }

  static std::string deflated(const std::string& data) {
    z_stream stream{};
    ::deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    std::string out(::deflateBound(&stream, data.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    ::deflateEnd(&stream);
    return out;
  }

 private:
  std::string body_, central_;
  std::uint64_t count_ = 0;
};

// A PyTorch archive of a pickle and the storages "0", "1", ...
inline std::string torch_zip(const std::string& pickle, const std::vector<std::string>& storages) {
  ZipBuilder zip;
  zip.add({"archive/data.pkl", pickle});
  for (std::size_t i = 0; i < storages.size(); ++i)
    zip.add({"archive/data/" + std::to_string(i), storages[i]});
  return zip.finish();
}

// Protobuf fields.
inline std::string proto_varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80u);
  return bytes + static_cast<char>(value);
}
inline std::string proto_number(std::uint32_t field, std::uint64_t value) {
  return proto_varint(std::uint64_t{field} << 3) + proto_varint(value);
}
inline std::string proto_bytes(std::uint32_t field, std::string_view value) {
  return proto_varint((std::uint64_t{field} << 3) | 2) + proto_varint(value.size()) +
         std::string(value);
}

}  // namespace mien::test
