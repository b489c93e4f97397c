#pragma once
// ZIP archives as PyTorch writes them (APPNOTE.TXT 6.3.9): stored or deflated entries, zip64.
// Sizes and offsets come from the central directory; the local headers of PyTorch's files leave
// them open.

#include <zlib.h>

#include <algorithm>
#include <climits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/byte_reader.hpp>
#include <mien/weights/checkpoint.hpp>

namespace mien::weights {

struct ZipEntry {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t stored_size = 0;  // in the archive
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // offset of the local header
  std::uint64_t begin = 0;   // offset of the data
};

// Inflates raw deflate data that must give exactly `size` bytes.
inline std::vector<std::byte> inflate(Bytes deflated, std::uint64_t size, std::string_view where) {
  std::vector<std::byte> out(static_cast<std::size_t>(size) + 1);  // room to notice a byte too many
  z_stream stream{};
  check(::inflateInit2(&stream, -MAX_WBITS) == Z_OK, where, "zlib cannot start");
  int status = Z_OK;
  Bytes in = deflated;
  std::size_t produced = 0;
  while (status == Z_OK && produced < out.size()) {
    const auto give = static_cast<uInt>(std::min<std::size_t>(in.size(), UINT_MAX));
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - produced, UINT_MAX));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream.avail_in = give;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + produced);
    stream.avail_out = room;
    status = ::inflate(&stream, Z_NO_FLUSH);
    in = in.subspan(give - stream.avail_in);
    produced += room - stream.avail_out;
  }
  ::inflateEnd(&stream);
  check(status == Z_STREAM_END && produced == size && in.empty(), where,
        "the compressed data is damaged");
  out.pop_back();
  return out;
}

// Reads the directory at construction; the entries' contents on request. `file` must outlive it.
class ZipArchive {
 public:
  ZipArchive(Bytes file, std::string name, const Limits& limits, MemoryBudget& budget)
      : file_(file), name_(std::move(name)), limits_(limits), budget_(budget) {
    read_directory(find_directory());
    check_layout();
  }

  static bool recognises(Bytes file) { return io::as_text(file).starts_with("PK\x03\x04"); }

  const std::vector<ZipEntry>& entries() const { return entries_; }

  // Null where there is no such entry.
  const ZipEntry* find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &entries_[found->second];
  }

  // The bytes of an entry, inflated where needed, checked against the CRC once.
  Bytes contents(const ZipEntry& entry) {
    const auto known = contents_.find(&entry);
    if (known != contents_.end()) return known->second;
    const std::string where = place(entry);
    check((entry.flags & 1u) == 0, where, "is encrypted");
    check(entry.method == 0 || entry.method == 8, where, "compression method ", entry.method,
          " is not supported");
    Bytes data = file_.subspan(static_cast<std::size_t>(entry.begin),
                               static_cast<std::size_t>(entry.stored_size));
    if (entry.method == 8) {
      budget_.charge(entry.size, where);
      inflated_.push_back(inflate(data, entry.size, where));
      data = inflated_.back();
    }
    check(data.size() == entry.size, where, "two different sizes are given");
    const auto crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size());
    check(crc == entry.crc || !has_crcs_, where, "CRC mismatch: the data is damaged");
    return contents_.emplace(&entry, data).first->second;
  }

  std::string place(const ZipEntry& entry) const { return str(name_, ": entry ", entry.name); }

 private:
  static constexpr std::uint32_t local_signature = 0x04034b50;
  static constexpr std::uint32_t central_signature = 0x02014b50;
  static constexpr std::uint32_t end_signature = 0x06054b50;
  static constexpr std::uint32_t end64_signature = 0x06064b50;
  static constexpr std::uint32_t locator64_signature = 0x07064b50;

  struct Directory {
    std::uint64_t offset = 0, size = 0, entries = 0;
  };

  // The end record is the last thing in the file but for a comment of up to 65535 bytes.
  std::size_t find_end_record() const {
    constexpr std::size_t record = 22, longest = record + 65535;
    const std::size_t lowest = file_.size() > longest ? file_.size() - longest : 0;
    for (std::size_t start = file_.size() < record ? 0 : file_.size() - record + 1;
         start-- > lowest;) {
      io::ByteReader reader(file_.subspan(start), name_);
      if (reader.u32() != end_signature) continue;
      reader.seek(20);
      if (reader.u16() == reader.remaining()) return start;
    }
    fail(name_, "is cut off: the directory at the end of the zip archive is missing");
  }

  Directory find_directory() const {
    const std::size_t end = find_end_record();
    io::ByteReader reader(file_.subspan(end), str(name_, ": zip end record"));
    reader.seek(4);
    const std::uint32_t disks = reader.u32();
    reader.take(2);
    Directory directory;
    directory.entries = reader.u16();
    directory.size = reader.u32();
    directory.offset = reader.u32();
    check(disks == 0 || disks == 0xffffffff, reader.where(), "archives in parts are not supported");
    std::uint64_t limit = end;
    if (const auto end64 = find_end64(end)) {
      limit = end64;
      io::ByteReader record(file_.subspan(static_cast<std::size_t>(end64)),
                            str(name_, ": zip64 end record"));
      check(record.u32() == end64_signature, record.where(), "has a wrong signature");
      record.seek(32);
      directory.entries = record.u64();
      directory.size = record.u64();
      directory.offset = record.u64();
    }
    check(directory.offset <= limit && directory.size <= limit - directory.offset, name_,
          "the zip directory lies outside the file");
    return directory;
  }

  // Offset of the zip64 end record, 0 where there is none.
  std::uint64_t find_end64(std::size_t end) const {
    constexpr std::size_t locator_size = 20;
    if (end < locator_size) return 0;
    io::ByteReader locator(file_.subspan(end - locator_size, locator_size), name_);
    if (locator.u32() != locator64_signature) return 0;
    locator.take(4);
    const std::uint64_t offset = locator.u64();
    check(offset > 0 && offset < end, name_, "the zip64 end record lies outside the file");
    return offset;
  }

  void read_directory(const Directory& directory) {
    check(directory.entries <= limits_.zip_entries, name_, directory.entries, " zip entries");
    io::ByteReader reader(file_.subspan(static_cast<std::size_t>(directory.offset),
                                        static_cast<std::size_t>(directory.size)),
                          str(name_, ": zip directory"));
    for (std::uint64_t i = 0; i < directory.entries; ++i) entries_.push_back(read_entry(reader));
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const bool added = by_name_.emplace(entries_[i].name, i).second;
      check(added, name_, "two zip entries are named ", entries_[i].name);
      has_crcs_ |= entries_[i].crc != 0;
    }
    directory_begin_ = directory.offset;
  }

  ZipEntry read_entry(io::ByteReader& reader) const {
    check(reader.u32() == central_signature, reader.where(), "an entry has a wrong signature");
    ZipEntry entry;
    reader.take(4);  // versions
    entry.flags = reader.u16();
    entry.method = reader.u16();
    reader.take(4);  // time, date
    entry.crc = reader.u32();
    entry.stored_size = reader.u32();
    entry.size = reader.u32();
    const std::uint16_t name_size = reader.u16(), extra_size = reader.u16(),
                        comment_size = reader.u16();
    reader.take(8);  // disk, attributes
    entry.header = reader.u32();
    check(name_size <= limits_.name_length, reader.where(), "a name of ", name_size, " bytes");
    entry.name = io::as_text(reader.take(name_size));
    read_zip64_sizes(reader.take(extra_size), entry);
    reader.take(comment_size);
    return entry;
  }

  // The extra field 0x0001 holds, in this order, those values that do not fit 32 bits.
  void read_zip64_sizes(Bytes extra, ZipEntry& entry) const {
    io::ByteReader reader(extra, place(entry));
    while (reader.remaining() >= 4) {
      const std::uint16_t id = reader.u16(), size = reader.u16();
      io::ByteReader field(reader.take(size), reader.where());
      if (id != 1) continue;
      for (std::uint64_t* value : {&entry.size, &entry.stored_size, &entry.header})
        if (*value == 0xffffffff) *value = field.u64();
    }
  }

  // Finds where each entry's data begins, and refuses entries that share bytes (a zip bomb).
  void check_layout() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (ZipEntry& entry : entries_) {
      io::ByteReader reader(file_, place(entry));
      reader.seek(entry.header);
      check(reader.u32() == local_signature, reader.where(), "the local header is damaged");
      reader.take(22);
      const std::uint16_t name_size = reader.u16(), extra_size = reader.u16();
      check(io::as_text(reader.take(name_size)) == entry.name, reader.where(),
            "the local header has another name");
      reader.take(extra_size);
      entry.begin = reader.position();
      reader.take(entry.stored_size);
      ranges.emplace_back(entry.header, reader.position());
    }
    ranges.emplace_back(directory_begin_, directory_begin_);
    std::sort(ranges.begin(), ranges.end());
    for (std::size_t i = 1; i < ranges.size(); ++i)
      check(ranges[i - 1].second <= ranges[i].first, name_, "zip entries overlap");
  }

  Bytes file_;
  std::string name_;
  const Limits& limits_;
  MemoryBudget& budget_;
  std::vector<ZipEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::uint64_t directory_begin_ = 0;
  bool has_crcs_ = false;  // PyTorch can leave all of them 0: torch.serialization.set_crc32_options
  std::map<const ZipEntry*, Bytes> contents_;
  std::vector<std::vector<std::byte>> inflated_;
};

}  // namespace mien::weights
