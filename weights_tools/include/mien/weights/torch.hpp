#pragma once
// Files of torch.save(), read without executing anything.
//   zip (torch >= 1.6):  R/data.pkl, the storages R/data/<key>, R/version, perhaps R/byteorder
//   legacy:              pickles of magic number, version, system info, object and storage keys;
//                        then per key the number of elements (i64) and the elements
// Sources: torch/serialization.py, caffe2/serialize/inline_container.cc.

#include <bit>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <mien/weights/checkpoint.hpp>
#include <mien/weights/pickle.hpp>
#include <mien/weights/torch_objects.hpp>
#include <mien/weights/torch_tensor.hpp>
#include <mien/weights/zip.hpp>

namespace mien::weights {

namespace torch::detail {

// The archive's entry <root>/data.pkl; the root is the name that the file once had.
inline const ZipEntry& pickle_entry(const ZipArchive& archive, const std::string& file) {
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    if (entry.name != "data.pkl" && !entry.name.ends_with("/data.pkl")) continue;
    check(found == nullptr, file, "has more than one data.pkl");
    found = &entry;
  }
  check(found != nullptr, file, "is a zip archive without data.pkl: not a PyTorch checkpoint");
  return *found;
}

inline bool is_big_endian(ZipArchive& archive, const std::string& root) {
  const ZipEntry* entry = archive.find(root + "byteorder");
  return entry != nullptr && io::as_text(archive.contents(*entry)) == "big";
}

// The legacy format's magic number 0x1950a86a20f9469cfc6c, little endian.
inline constexpr std::string_view legacy_magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

// Reads the pickles and storages of a legacy file one after another.
class LegacyReader {
 public:
  LegacyReader(Bytes data, const std::string& file, const Limits& limits)
      : data_(data), reader_(data, file), limits_(limits) {}

  Checkpoint read() {
    Checkpoint out;
    out.file = reader_.where();
    out.format = "torch (legacy)";
    const auto magic = next_pickle("magic number");
    check(magic.root->text == legacy_magic, out.file, "is not a legacy PyTorch file");
    next_pickle("version");
    next_pickle("system info");
    const auto object = next_pickle("object");
    const auto keys = next_pickle("storage keys");
    read_storages(object, *keys.root);
    MemoryBudget budget(limits_, data_.size());
    const auto find = [this](std::string_view key) { return storage(key); };
    const TensorReader tensors(out.file, find, false, budget);
    StateReader(tensors, limits_, out).read(*object.root);
    return out;
  }

 private:
  pickle::Document next_pickle(std::string_view what) {
    auto document = pickle::read(data_.subspan(reader_.position()),
                                 str(reader_.where(), ": pickle of the ", what), limits_);
    reader_.take(document.size);
    return document;
  }

  // Elements are little endian whatever machine wrote them; their number once was not.
  void read_storages(const pickle::Document& object, const Value& keys) {
    std::map<std::string_view, StorageId> ids;
    for (const Value* persistent : object.persistents)
      if (!persistent->args->items.empty() && persistent->args->items[0]->is_text("storage")) {
        const StorageId id = storage_id(*persistent, reader_.where());
        ids.emplace(id.key, id);
      }
    for (const Value* key : keys.items) {
      const auto id = ids.find(key->text);
      const std::string where = str(reader_.where(), ": storage ", key->text);
      check(id != ids.end(), where, "is not used by any tensor");
      const auto numel = static_cast<std::uint64_t>(id->second.numel);
      const std::uint64_t stored = reader_.u64();
      check(stored == numel || __builtin_bswap64(stored) == numel, where, "has ", stored,
            " elements, expected ", numel);
      std::uint64_t bytes = 0;
      const std::uint64_t size = id->second.type ? io::size_of(*id->second.type) : 1;
      check(!__builtin_mul_overflow(numel, size, &bytes), where, "is too large");
      check(bytes <= reader_.remaining(), where, "is cut off: ", bytes, " bytes expected, ",
            reader_.remaining(), " left");
      storages_.emplace(key->text, reader_.take(bytes));
    }
  }

  Bytes storage(std::string_view key) const {
    const auto found = storages_.find(key);
    check(found != storages_.end(), str(reader_.where(), ": storage ", key), "is missing");
    return found->second;
  }

  Bytes data_;
  io::ByteReader reader_;
  const Limits& limits_;
  std::map<std::string, Bytes, std::less<>> storages_;
};

}  // namespace torch::detail

inline Checkpoint read_torch_zip(Bytes data, const std::string& file, const Limits& limits) {
  MemoryBudget budget(limits, data.size());
  ZipArchive archive(data, file, limits, budget);
  const ZipEntry& pickle = torch::detail::pickle_entry(archive, file);
  check(pickle.size <= limits.pickle_bytes, archive.place(pickle), "has ", pickle.size, " bytes");
  const std::string root = pickle.name.substr(0, pickle.name.size() - 8);  // without data.pkl
  const auto document = pickle::read(archive.contents(pickle), archive.place(pickle), limits);

  const auto find = [&](std::string_view key) {
    const ZipEntry* entry = archive.find(str(root, "data/", key));
    check(entry != nullptr, str(file, ": entry ", root, "data/", key), "is missing");
    return archive.contents(*entry);
  };
  Checkpoint out;
  out.file = file;
  out.format = archive.find(root + "constants.pkl") == nullptr ? "torch" : "torchscript";
  const torch::TensorReader tensors(file, find, torch::detail::is_big_endian(archive, root),
                                    budget);
  torch::StateReader(tensors, limits, out).read(*document.root);
  return out;
}

inline Checkpoint read_torch_legacy(Bytes data, const std::string& file, const Limits& limits) {
  return torch::detail::LegacyReader(data, file, limits).read();
}

// Whether the file starts with the pickled magic number of the legacy format.
inline bool is_torch_legacy(Bytes data) {
  const auto start = io::as_text(data).substr(0, 14);
  return start.size() == 14 && start.substr(2, 2) == "\x8a\x0a" &&
         start.substr(4) == torch::detail::legacy_magic;
}

}  // namespace mien::weights
