#pragma once
// The safetensors format (github.com/huggingface/safetensors): u64 size of the header, the header
// in JSON, then the elements, little endian, in C order:
//   {"__metadata__": {key: text}, name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
// Reading refuses what the reference implementation refuses: sizes that disagree, holes, overlaps,
// doubled names, headers over 100 MB.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/any_tensor.hpp>
#include <mien/io/atomic_file.hpp>
#include <mien/io/byte_reader.hpp>
#include <mien/io/json_reader.hpp>
#include <mien/io/stored_type.hpp>

namespace mien::io {

using NamedTensor = std::pair<std::string, AnyTensor>;

struct SafetensorsFile {
  std::vector<NamedTensor> tensors;  // in the header's order
  std::map<std::string, std::string> metadata;
};

namespace detail {

inline constexpr std::pair<std::string_view, StoredType> safetensors_types[] = {
    {"F32", StoredType::f32}, {"F64", StoredType::f64}, {"BF16", StoredType::bf16},
    {"F16", StoredType::f16}, {"I64", StoredType::i64}, {"I32", StoredType::i32},
    {"I16", StoredType::i16}, {"I8", StoredType::i8},   {"U32", StoredType::u32},
    {"U16", StoredType::u16}, {"U8", StoredType::u8},   {"BOOL", StoredType::boolean}};

inline StoredType stored_type(std::string_view name, std::string_view where) {
  for (const auto& [known, type] : safetensors_types)
    if (known == name) return type;
  fail(where, str("dtype ", name, " is not supported"));
}

inline std::string_view safetensors_name(DType dtype) {
  constexpr std::string_view names[] = {"F32", "F64", "BF16", "F16", "I32", "I64", "U8", "BOOL"};
  return names[static_cast<std::size_t>(dtype)];
}

struct SafetensorsEntry {
  std::string name;
  StoredType type = StoredType::f32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // relative to the end of the header
};

class SafetensorsHeader {
 public:
  SafetensorsHeader(std::string_view json, std::string_view file)
      : json_(json, std::string(file)), file_(file) {
    json_.each('{', '}', [&] { entry(); });
    json_.expect_end();
  }

  // Throws unless the entries cover `size` bytes without hole and overlap.
  void check_ranges(std::uint64_t size) const {
    std::vector<const SafetensorsEntry*> sorted;
    for (const auto& entry : entries) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
      return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t at = 0;
    for (const auto* entry : sorted) {
      check(entry->begin == at, place(entry->name), "data starts at ", entry->begin, ", expected ",
            at);
      at = entry->end;
    }
    check(at == size, file_, "the tensors take ", at, " bytes, the file has ", size);
  }

  std::string place(std::string_view name) const { return str(file_, ": tensor ", name); }

  std::vector<SafetensorsEntry> entries;
  std::map<std::string, std::string> metadata;

 private:
  void entry() {
    std::string name = json_.string();
    check(seen_.insert(name).second, place(name), "occurs twice");
    json_.expect(':');
    if (name == "__metadata__")
      read_metadata();
    else
      read_tensor(std::move(name));
  }

  void read_metadata() {
    json_.each('{', '}', [&] {
      std::string key = json_.string();
      json_.expect(':');
      std::string text = json_.string();
      const bool added = metadata.emplace(key, std::move(text)).second;
      check(added, file_, "metadata key ", key, " occurs twice");
    });
  }

  void read_tensor(std::string name) {
    SafetensorsEntry tensor;
    tensor.name = std::move(name);
    const std::string where = place(tensor.name);
    bool has_type = false, has_shape = false, has_range = false;
    const auto once = [&](bool& seen, std::string_view key) {
      check(!seen, where, "field ", key, " occurs twice");
      seen = true;
    };
    json_.each('{', '}', [&] {
      const std::string key = json_.string();
      json_.expect(':');
      if (key == "dtype") {
        once(has_type, key);
        tensor.type = stored_type(json_.string(), where);
      } else if (key == "shape") {
        once(has_shape, key);
        json_.each('[', ']', [&] { push_dim(tensor.shape, where); });
      } else if (key == "data_offsets") {
        once(has_range, key);
        json_.expect('[');
        tensor.begin = json_.unsigned_integer();
        json_.expect(',');
        tensor.end = json_.unsigned_integer();
        json_.expect(']');
      } else {
        fail(where, str("unknown field ", key));
      }
    });
    check(has_type && has_shape && has_range, where, "dtype, shape or data_offsets is missing");
    check_size(tensor, where);
    entries.push_back(std::move(tensor));
  }

  void push_dim(Shape& shape, const std::string& where) {
    const std::uint64_t dim = json_.unsigned_integer();
    check(dim <= std::uint64_t{1} << 62, where, "a dimension of ", dim);
    check(shape.rank() < Shape::max_rank, where, "more than ", Shape::max_rank, " dimensions");
    shape.push_back(static_cast<std::int64_t>(dim));
  }

  static void check_size(const SafetensorsEntry& tensor, const std::string& where) {
    std::uint64_t bytes = size_of(tensor.type);
    bool overflow = false;
    for (const auto dim : tensor.shape)
      overflow |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dim), &bytes);
    check(!overflow && tensor.begin <= tensor.end && tensor.end - tensor.begin == bytes, where,
          "shape ", tensor.shape, " disagrees with data_offsets [", tensor.begin, ", ", tensor.end,
          "]");
  }

  JsonReader json_;
  std::string file_;
  std::set<std::string> seen_;
};

}  // namespace detail

// Throws Error, naming `file` and the tensor, where the bytes are not a valid safetensors file.
inline SafetensorsFile parse_safetensors(Bytes data, std::string_view file) {
  ByteReader reader(data, std::string(file));
  const std::uint64_t header_size = reader.u64();
  check(header_size <= 100'000'000, file, "a header of ", header_size, " bytes");
  const std::string_view json = as_text(reader.take(header_size));
  check(json.starts_with('{'), file, "the header does not start with '{'");
  detail::SafetensorsHeader header(json, file);
  const Bytes elements = reader.take(reader.remaining());
  header.check_ranges(elements.size());

  SafetensorsFile out;
  out.metadata = std::move(header.metadata);
  for (auto& entry : header.entries) {
    const Bytes part = elements.subspan(static_cast<std::size_t>(entry.begin),
                                        static_cast<std::size_t>(entry.end - entry.begin));
    out.tensors.emplace_back(std::move(entry.name), decode(entry.type, entry.shape, part));
  }
  return out;
}

inline SafetensorsFile read_safetensors(const std::string& path) {
  const MappedFile file(path);
  return parse_safetensors(file.bytes(), path);
}

namespace detail {

// The order of the tensors' data: wide elements first, so that every tensor is aligned to its
// element size.
inline std::vector<std::size_t> data_order(const std::vector<NamedTensor>& tensors) {
  std::vector<std::size_t> order(tensors.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return mien::size_of(tensors[a].second.dtype()) > mien::size_of(tensors[b].second.dtype());
  });
  return order;
}

inline std::string header_json(const SafetensorsFile& file, const std::vector<std::size_t>& order) {
  std::vector<std::uint64_t> begins(order.size());
  std::uint64_t at = 0;
  for (const std::size_t i : order) {
    begins[i] = at;
    at += file.tensors[i].second.nbytes();
  }
  std::string json = "{";
  const auto separate = [&] { json += json.back() == '{' ? "" : ","; };
  if (!file.metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, text] : file.metadata) {
      separate();
      json += json_string(key) + ":" + json_string(text);
    }
    json += '}';
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& [name, tensor] = file.tensors[i];
    separate();
    json += str(json_string(name), ":{\"dtype\":\"", safetensors_name(tensor.dtype()),
                "\",\"shape\":[");
    for (int d = 0; d < tensor.shape().rank(); ++d)
      json += str(d == 0 ? "" : ",", tensor.shape()[d]);
    json += str("],\"data_offsets\":[", begins[i], ",", begins[i] + tensor.nbytes(), "]}");
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  return json;
}

inline void check_writable(const SafetensorsFile& file, const std::string& path) {
  std::set<std::string_view> seen;
  for (const auto& [name, tensor] : file.tensors) {
    check(tensor.defined(), path, "tensor ", name, " is undefined");
    check(is_utf8(name), path, "the name of tensor ", name, " is not UTF-8");
    check(name != "__metadata__" && seen.insert(name).second, path, "tensor name ", name,
          " is taken");
  }
  for (const auto& [key, text] : file.metadata)
    check(is_utf8(key) && is_utf8(text), path, "metadata ", key, " is not UTF-8");
}

}  // namespace detail

// Writes the file in one piece: readers see the old content or all of the new one.
inline void write_safetensors(const std::string& path, const SafetensorsFile& file) {
  detail::check_writable(file, path);
  const auto order = detail::data_order(file.tensors);
  const std::string json = detail::header_json(file, order);
  std::byte size[8];
  for (int i = 0; i < 8; ++i) size[i] = static_cast<std::byte>(json.size() >> (8 * i));

  AtomicFile out(path);
  out.write(size);
  out.write(as_bytes(json));
  for (const std::size_t i : order) {
    const AnyTensor& tensor = file.tensors[i].second;
    out.write({tensor.bytes(), tensor.nbytes()});
  }
  out.commit();
}

}  // namespace mien::io
