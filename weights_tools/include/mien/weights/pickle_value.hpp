#pragma once
// The values that a pickle describes. Nothing is imported, called or constructed: a class is a
// symbol, an instance is an object that records which class and arguments were asked for.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mien::weights::pickle {

// Values live in a Document's arena and refer to each other by address, in cycles too: whoever
// walks them bounds the depth. Texts and bytes point into the pickle or into the arena.
struct Value {
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    big_integer,  // `text` holds it, little endian
    real,
    text,
    bytes,
    tuple,
    list,
    set,
    dict,
    symbol,     // `module`.`text`
    object,     // callee(args), then `state`, `items` and `entries` as they were added
    persistent  // args is the id
  };

  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;
  std::string_view module;
  std::vector<const Value*> items;
  std::vector<std::pair<const Value*, const Value*>> entries;
  const Value* callee = nullptr;
  const Value* args = nullptr;
  const Value* state = nullptr;

  bool is(Kind k) const { return kind == k; }
  bool is_text(std::string_view t) const { return kind == Kind::text && text == t; }
  bool is_symbol(std::string_view in, std::string_view name) const {
    return kind == Kind::symbol && module == in && text == name;
  }

  // The value under a key of a dict (the last one, as in Python); null where there is none.
  const Value* find(std::string_view key) const {
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
      if (entry->first->is_text(key)) return entry->second;
    return nullptr;
  }
};

// What a kind is called in messages.
inline std::string_view to_string(Value::Kind kind) {
  constexpr std::string_view names[] = {
      "None",  "a bool", "an integer", "a big integer", "a float",  "a string",  "bytes",
      "tuple", "a list", "a set",      "a dict",        "a symbol", "an object", "a persistent id"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace mien::weights::pickle
