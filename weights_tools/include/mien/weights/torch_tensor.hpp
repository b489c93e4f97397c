#pragma once
// Tensors of PyTorch pickles: calls of torch._utils._rebuild_tensor* on storages, as dense tensors.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/weights/checkpoint.hpp>
#include <mien/weights/pickle_value.hpp>

namespace mien::weights::torch {

using pickle::Value;

// The bytes of the storage with a key; throws where the file has none.
using FindStorage = std::function<Bytes(std::string_view key)>;

// What a persistent id says: ('storage', type, key, location, numel[, view]).
struct StorageId {
  std::optional<io::StoredType> type;  // none: untyped, counted in bytes
  std::string_view key;
  std::int64_t numel = 0;
  std::int64_t view_offset = 0;  // legacy files: a view of the storage `key`
};

namespace detail {

inline constexpr std::pair<std::string_view, io::StoredType> element_types[] = {
    {"FloatStorage", io::StoredType::f32},     {"float32", io::StoredType::f32},
    {"DoubleStorage", io::StoredType::f64},    {"float64", io::StoredType::f64},
    {"HalfStorage", io::StoredType::f16},      {"float16", io::StoredType::f16},
    {"BFloat16Storage", io::StoredType::bf16}, {"bfloat16", io::StoredType::bf16},
    {"LongStorage", io::StoredType::i64},      {"int64", io::StoredType::i64},
    {"IntStorage", io::StoredType::i32},       {"int32", io::StoredType::i32},
    {"ShortStorage", io::StoredType::i16},     {"int16", io::StoredType::i16},
    {"CharStorage", io::StoredType::i8},       {"int8", io::StoredType::i8},
    {"ByteStorage", io::StoredType::u8},       {"uint8", io::StoredType::u8},
    {"BoolStorage", io::StoredType::boolean},  {"bool", io::StoredType::boolean},
    {"uint16", io::StoredType::u16},           {"uint32", io::StoredType::u32}};

inline io::StoredType element_type(const Value& symbol, std::string_view where) {
  for (const auto& [name, type] : element_types)
    if (symbol.is_symbol("torch", name)) return type;
  fail(where, str("element type ", symbol.text, " is not supported"));
}

// Item i of a tuple or list, which must be of a kind.
inline const Value& item(const Value& sequence, std::size_t i, Value::Kind kind,
                         std::string_view where) {
  check(i < sequence.items.size() && sequence.items[i]->is(kind), where, "the pickle has ",
        i < sequence.items.size() ? to_string(sequence.items[i]->kind) : "nothing", " where ",
        to_string(kind), " should be");
  return *sequence.items[i];
}

inline Shape dims(const Value& sequence, std::string_view where) {
  check(sequence.items.size() <= static_cast<std::size_t>(Shape::max_rank), where,
        sequence.items.size(), " dimensions, at most ", Shape::max_rank, " are supported");
  Shape shape;
  for (std::size_t i = 0; i < sequence.items.size(); ++i) {
    const std::int64_t dim = item(sequence, i, Value::Kind::integer, where).integer;
    check(dim >= 0, where, "a negative size or stride");
    shape.push_back(dim);
  }
  return shape;
}

// A call that rebuilds a tensor; `function` is empty where a value is no such call.
struct Call {
  std::string_view function;
  const Value* args = nullptr;
};

inline Call rebuild_call(const Value& value) {
  const Value* callee = value.callee;
  const bool rebuilds = value.is(Value::Kind::object) && callee->is(Value::Kind::symbol) &&
                        (callee->module == "torch._utils" || callee->module == "torch._tensor") &&
                        callee->text.starts_with("_rebuild_");
  return rebuilds ? Call{callee->text, value.args} : Call{};
}

// A strided window onto a storage; offset and strides count elements.
struct Window {
  std::int64_t offset = 0;
  Shape sizes, strides;

  // The number of elements. Throws where it overflows, also if a size of 0 would hide that.
  std::int64_t count(std::string_view where) const {
    std::int64_t product = 1;
    bool overflow = false, empty = false;
    for (const auto size : sizes) {
      empty |= size == 0;
      overflow |= __builtin_mul_overflow(product, size == 0 ? 1 : size, &product);
    }
    check(!overflow, where, "sizes ", sizes, " overflow");
    return empty ? 0 : product;
  }

  // One past the last element that is touched. Throws on overflow.
  std::int64_t end(std::string_view where) const {
    std::int64_t last = offset;
    bool overflow = false;
    for (int d = 0; d < sizes.rank(); ++d) {
      std::int64_t span = 0;
      overflow |= __builtin_mul_overflow(sizes[d] - 1, strides[d], &span);
      overflow |= __builtin_add_overflow(last, span, &last);
    }
    overflow |= __builtin_add_overflow(last, std::int64_t{1}, &last);
    check(!overflow, where, "sizes ", sizes, " with strides ", strides, " overflow");
    return last;
  }

  bool dense() const {
    std::int64_t step = 1;
    for (int d = sizes.rank() - 1; d >= 0; --d) {
      if (sizes[d] != 1 && strides[d] != step) return false;
      step *= sizes[d];
    }
    return true;
  }
};

// The elements of a window that lies inside the storage, in C order.
inline std::vector<std::byte> gather(Bytes storage, const Window& window, std::int64_t count,
                                     std::size_t size) {
  std::vector<std::byte> out(static_cast<std::size_t>(count) * size);
  std::int64_t index[Shape::max_rank] = {};
  std::int64_t at = window.offset;
  for (std::byte* to = out.data(); to != out.data() + out.size(); to += size) {
    std::memcpy(to, storage.data() + static_cast<std::size_t>(at) * size, size);
    for (int d = window.sizes.rank() - 1; d >= 0; --d) {  // the next index, last dimension first
      at += window.strides[d];
      if (++index[d] < window.sizes[d]) break;
      at -= window.strides[d] * window.sizes[d];
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace detail

// Reads ids of legacy files too, where a sixth item may name a view: (key, offset, numel).
inline StorageId storage_id(const Value& value, std::string_view where) {
  using Kind = Value::Kind;
  check(value.is(Kind::persistent) && value.args->is(Kind::tuple), where, "has ",
        to_string(value.kind), " where its storage should be");
  const Value& id = *value.args;
  check(detail::item(id, 0, Kind::text, where).text == "storage", where,
        "has a persistent id that is no storage");
  StorageId storage;
  const Value& type = detail::item(id, 1, Kind::symbol, where);
  if (!type.is_symbol("torch.storage", "UntypedStorage") &&
      !type.is_symbol("torch", "UntypedStorage"))
    storage.type = detail::element_type(type, where);
  storage.key = detail::item(id, 2, Kind::text, where).text;
  storage.numel = detail::item(id, 4, Kind::integer, where).integer;
  check(storage.numel >= 0, where, "a storage of ", storage.numel, " elements");
  if (id.items.size() > 5 && id.items[5]->is(Kind::tuple)) {
    storage.view_offset = detail::item(*id.items[5], 1, Kind::integer, where).integer;
    check(storage.view_offset >= 0, where, "a storage view at ", storage.view_offset);
  }
  return storage;
}

class TensorReader {
 public:
  // `where` is the file's name.
  TensorReader(std::string where, FindStorage find, bool big_endian, MemoryBudget& budget)
      : where_(std::move(where)),
        find_(std::move(find)),
        big_endian_(big_endian),
        budget_(budget) {}

  static bool is_tensor(const Value& value) {
    return !detail::rebuild_call(value).function.empty();
  }

  // The tensor that a rebuild call stands for; errors name it.
  AnyTensor read(const Value& value, std::string_view name) const {
    const std::string where = str(where_, ": tensor ", name);
    detail::Call call = detail::rebuild_call(value);
    for (int depth = 0; depth < 8; ++depth) {
      if (call.function == "_rebuild_parameter" || call.function == "_rebuild_parameter_with_state")
        call = detail::rebuild_call(detail::item(*call.args, 0, Value::Kind::object, where));
      else if (call.function == "_rebuild_from_type_v2")
        call = {detail::item(*call.args, 0, Value::Kind::symbol, where).text,
                &detail::item(*call.args, 2, Value::Kind::tuple, where)};
      else
        break;
    }
    const bool typed = call.function == "_rebuild_tensor" || call.function == "_rebuild_tensor_v2";
    check(typed || call.function == "_rebuild_tensor_v3", where, "is stored by ",
          call.function.empty() ? "an unknown function" : call.function,
          "; quantised, sparse and storage-less tensors are not supported");
    return read_window(*call.args, typed, where);
  }

 private:
  // args: storage, offset, sizes, strides, requires_grad, hooks[, dtype of version 3]
  AnyTensor read_window(const Value& args, bool typed, const std::string& where) const {
    using Kind = Value::Kind;
    const StorageId id = storage_id(detail::item(args, 0, Kind::persistent, where), where);
    check(!typed || id.type, where, "has a storage without element type");
    const io::StoredType type =
        typed ? *id.type : detail::element_type(detail::item(args, 6, Kind::symbol, where), where);
    detail::Window window;
    window.offset = detail::item(args, 1, Kind::integer, where).integer;
    window.sizes = detail::dims(detail::item(args, 2, Kind::tuple, where), where);
    window.strides = detail::dims(detail::item(args, 3, Kind::tuple, where), where);
    check(window.offset >= 0 && window.sizes.rank() == window.strides.rank(), where, "has sizes ",
          window.sizes, ", strides ", window.strides, ", offset ", window.offset);
    for (int d = 0; d < window.sizes.rank(); ++d)
      if (window.sizes[d] <= 1) window.strides[d] = 0;  // of no meaning, and may be anything

    const std::int64_t count = window.count(where);
    std::uint64_t bytes = 0;
    check(!__builtin_mul_overflow(static_cast<std::uint64_t>(count),
                                  mien::size_of(io::tensor_dtype(type)), &bytes),
          where, "sizes ", window.sizes, " overflow");
    budget_.charge(bytes, where);
    if (count == 0) return io::decode(type, window.sizes, {});
    return read_elements(type, find_storage(id, where), window, count, where);
  }

  AnyTensor read_elements(io::StoredType type, Bytes storage, const detail::Window& window,
                          std::int64_t count, const std::string& where) const {
    const std::size_t size = io::size_of(type);
    check(static_cast<std::uint64_t>(window.end(where)) <= storage.size() / size, where,
          "reaches beyond its storage of ", storage.size(), " bytes: sizes ", window.sizes,
          ", strides ", window.strides, ", offset ", window.offset);
    if (!window.dense())
      return io::decode(type, window.sizes, detail::gather(storage, window, count, size),
                        big_endian_);
    const Bytes elements = storage.subspan(static_cast<std::size_t>(window.offset) * size,
                                           static_cast<std::size_t>(count) * size);
    return io::decode(type, window.sizes, elements, big_endian_);
  }

  // The storage's bytes, which must be as many as the id says.
  Bytes find_storage(const StorageId& id, const std::string& where) const {
    const Bytes storage = find_(id.key);
    const std::uint64_t size = id.type ? io::size_of(*id.type) : 1;
    check(static_cast<std::uint64_t>(id.numel) <= storage.size() / size, where, "storage ", id.key,
          " should have ", id.numel, " elements, has ", storage.size(), " bytes");
    const auto view = static_cast<std::uint64_t>(id.view_offset);
    check(view <= static_cast<std::uint64_t>(id.numel), where, "a view outside storage ", id.key);
    return storage.subspan(view * size, (static_cast<std::uint64_t>(id.numel) - view) * size);
  }

  std::string where_;
  FindStorage find_;
  bool big_endian_;
  MemoryBudget& budget_;
};

}  // namespace mien::weights::torch
