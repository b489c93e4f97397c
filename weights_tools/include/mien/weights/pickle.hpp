#pragma once
// A reader of Python pickles, protocols 0 to 5, that executes nothing (opcodes: pickletools.py).
// Opcodes that only serve code or objects outside the pickle (EXT, INST, OBJ, out-of-band buffers)
// are refused.

#include <algorithm>
#include <bit>
#include <charconv>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/io/byte_reader.hpp>
#include <mien/weights/checkpoint.hpp>
#include <mien/weights/pickle_opcodes.hpp>
#include <mien/weights/pickle_value.hpp>

namespace mien::weights::pickle {

struct Document {
  const Value* root = nullptr;
  std::vector<const Value*> persistents;  // in the order of the file
  std::size_t size = 0;                   // bytes up to and with STOP
  std::deque<Value> arena;                // addresses stay when a Document is moved
  std::deque<std::string> texts;
};

// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(Bytes data, std::string where, const Limits& limits)
      : reader_(data.first(std::min<std::size_t>(data.size(), limits.pickle_bytes)),
                std::move(where)),
        limits_(limits) {}

  Document run() {
    for (std::uint64_t count = 0;; ++count) {
      check(count < limits_.pickle_opcodes, where(), "more than ", limits_.pickle_opcodes,
            " pickle opcodes");
      const std::uint8_t code = reader_.u8();
      const Op op{code};
      if (op == Op::stop) break;
      check(number(op) || text(op) || container(op) || object(op) || bookkeeping(op), where(),
            "pickle opcode ", int{code}, " at offset ", reader_.position() - 1,
            " is not supported");
    }
    document_.root = pop();
    document_.size = reader_.position();
    return std::move(document_);
  }

 private:
  using Kind = Value::Kind;

  const std::string& where() const { return reader_.where(); }

  // The opcodes by group; each function says whether the opcode is one of its group.

  bool number(Op op) {
    switch (op) {
      case Op::none:
        push(Kind::none);
        return true;
      case Op::newtrue:
        push_integer(Kind::boolean, 1);
        return true;
      case Op::newfalse:
        push_integer(Kind::boolean, 0);
        return true;
      case Op::binint:
        push_integer(Kind::integer, static_cast<std::int32_t>(reader_.u32()));
        return true;
      case Op::binint1:
        push_integer(Kind::integer, reader_.u8());
        return true;
      case Op::binint2:
        push_integer(Kind::integer, reader_.u16());
        return true;
      case Op::long1:
        push_long(reader_.take(reader_.u8()));
        return true;
      case Op::long4:
        push_long(reader_.take(reader_.u32()));
        return true;
      case Op::binfloat:
        push_real();
        return true;
      case Op::integer:
        push_decimal(reader_.line());
        return true;
      case Op::long_text:
        push_decimal(reader_.line());
        return true;
      case Op::real:
        push(Kind::real).real = parsed<double>(reader_.line());
        return true;
      default:
        return false;
    }
  }

  bool text(Op op) {
    switch (op) {
      case Op::short_binunicode:
        push_text(Kind::text, reader_.take(reader_.u8()));
        return true;
      case Op::binunicode:
        push_text(Kind::text, reader_.take(reader_.u32()));
        return true;
      case Op::binunicode8:
        push_text(Kind::text, reader_.take(reader_.u64()));
        return true;
      case Op::short_binstring:
        push_text(Kind::text, reader_.take(reader_.u8()));
        return true;
      case Op::binstring:
        push_text(Kind::text, reader_.take(reader_.u32()));
        return true;
      case Op::short_binbytes:
        push_text(Kind::bytes, reader_.take(reader_.u8()));
        return true;
      case Op::binbytes:
        push_text(Kind::bytes, reader_.take(reader_.u32()));
        return true;
      case Op::binbytes8:
        push_text(Kind::bytes, reader_.take(reader_.u64()));
        return true;
      case Op::bytearray8:
        push_text(Kind::bytes, reader_.take(reader_.u64()));
        return true;
      case Op::string:
        push_plain(unquoted(reader_.line()));
        return true;
      case Op::unicode:
        push_plain(reader_.line());
        return true;
      default:
        return false;
    }
  }

  bool container(Op op) {
    switch (op) {
      case Op::empty_tuple:
        push(Kind::tuple);
        return true;
      case Op::empty_list:
        push(Kind::list);
        return true;
      case Op::empty_dict:
        push(Kind::dict);
        return true;
      case Op::empty_set:
        push(Kind::set);
        return true;
      case Op::tuple1:
        push_items(Kind::tuple, pop_many(1));
        return true;
      case Op::tuple2:
        push_items(Kind::tuple, pop_many(2));
        return true;
      case Op::tuple3:
        push_items(Kind::tuple, pop_many(3));
        return true;
      case Op::tuple:
        push_items(Kind::tuple, pop_to_mark());
        return true;
      case Op::list:
        push_items(Kind::list, pop_to_mark());
        return true;
      case Op::frozenset:
        push_items(Kind::set, pop_to_mark());
        return true;
      case Op::append:
        add_items(pop_many(1));
        return true;
      case Op::appends:
        add_items(pop_to_mark());
        return true;
      case Op::additems:
        add_items(pop_to_mark());
        return true;
      case Op::setitem:
        add_entries(pop_many(2));
        return true;
      case Op::setitems:
        add_entries(pop_to_mark());
        return true;
      case Op::dict: {
        const auto entries = pop_to_mark();
        push(Kind::dict);
        add_entries(entries);
        return true;
      }
      default:
        return false;
    }
  }

  bool object(Op op) {
    switch (op) {
      case Op::global: {
        const auto module = reader_.line();
        push_symbol(module, reader_.line());
        return true;
      }
      case Op::stack_global: {
        const auto names = pop_many(2);
        check(names[0]->is(Kind::text) && names[1]->is(Kind::text), where(),
              "STACK_GLOBAL without two strings");
        push_symbol(names[0]->text, names[1]->text);
        return true;
      }
      case Op::reduce:
      case Op::newobj:
        push_object(pop_many(2));
        return true;
      case Op::newobj_ex:
        push_object(pop_many(3));
        return true;  // keyword arguments are dropped
      case Op::build: {
        const Value* state = pop();
        top().state = state;
        return true;
      }
      case Op::binpersid:
        push_persistent(pop());
        return true;
      case Op::persid: {
        push_text(Kind::text, io::as_bytes(reader_.line()));
        push_persistent(pop());
        return true;
      }
      default:
        return false;
    }
  }

  bool bookkeeping(Op op) {
    switch (op) {
      case Op::proto: {
        const int protocol = reader_.u8();
        check(protocol <= 5, where(), "pickle protocol ", protocol, " is not supported");
        return true;
      }
      case Op::frame: {
        const std::uint64_t size = reader_.u64();
        check(size <= reader_.remaining(), where(), "a pickle frame of ", size, " bytes, ",
              reader_.remaining(), " left");
        return true;
      }
      case Op::mark:
        marks_.push_back(stack_.size());
        return true;
      case Op::pop:
        pop_value_or_mark();
        return true;
      case Op::pop_mark:
        pop_to_mark();
        return true;
      case Op::dup:
        stack_.push_back(&top());
        return true;
      case Op::put:
        remember(parsed<std::uint64_t>(reader_.line()));
        return true;
      case Op::binput:
        remember(reader_.u8());
        return true;
      case Op::long_binput:
        remember(reader_.u32());
        return true;
      case Op::memoize:
        remember(memo_.size());
        return true;
      case Op::get:
        recall(parsed<std::uint64_t>(reader_.line()));
        return true;
      case Op::binget:
        recall(reader_.u8());
        return true;
      case Op::long_binget:
        recall(reader_.u32());
        return true;
      default:
        return false;
    }
  }

  // The stack.

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Value& top() {
    check(stack_.size() > floor(), where(), "the pickle stack is empty at offset ",
          reader_.position());
    return *stack_.back();
  }
  const Value* pop() {
    const Value* value = &top();
    stack_.pop_back();
    return value;
  }
  std::vector<const Value*> pop_many(std::size_t count) {
    check(stack_.size() >= floor() + count, where(), "the pickle stack is empty at offset ",
          reader_.position());
    std::vector<const Value*> values(stack_.end() - static_cast<std::ptrdiff_t>(count),
                                     stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  std::vector<const Value*> pop_to_mark() {
    check(!marks_.empty(), where(), "no mark on the pickle stack at offset ", reader_.position());
    auto values = pop_many(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }
  void pop_value_or_mark() {
    if (!marks_.empty() && stack_.size() == marks_.back())
      marks_.pop_back();
    else
      pop();
  }

  Value& push(Kind kind) {
    Value& value = document_.arena.emplace_back();
    value.kind = kind;
    stack_.push_back(&value);
    return value;
  }
  void push_integer(Kind kind, std::int64_t integer) { push(kind).integer = integer; }
  void push_text(Kind kind, Bytes text) { push(kind).text = io::as_text(text); }
  void push_items(Kind kind, std::vector<const Value*> items) {
    push(kind).items = std::move(items);
  }
  void push_symbol(std::string_view module, std::string_view name) {
    Value& symbol = push(Kind::symbol);
    symbol.module = module;
    symbol.text = name;
  }
  void push_object(const std::vector<const Value*>& parts) {
    Value& object = push(Kind::object);
    object.callee = parts[0];
    object.args = parts[1];
  }
  void push_persistent(const Value* id) {
    Value& value = push(Kind::persistent);
    value.args = id;
    document_.persistents.push_back(&value);
  }

  // A two's complement little-endian integer of any length.
  void push_long(Bytes bytes) {
    if (bytes.size() > 8) return push_text(Kind::big_integer, bytes);
    const bool negative = !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0};
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value &= ~(std::uint64_t{0xff} << (8 * i));
      value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    }
    push_integer(Kind::integer, static_cast<std::int64_t>(value));
  }

  void push_real() {  // the one big-endian number
    std::uint64_t bits = 0;
    for (const std::byte byte : reader_.take(8))
      bits = (bits << 8) | std::to_integer<std::uint64_t>(byte);
    push(Kind::real).real = std::bit_cast<double>(bits);
  }

  void push_decimal(std::string_view line) {
    if (line == "00" || line == "01") return push_integer(Kind::boolean, line == "01");
    if (line.ends_with('L')) line.remove_suffix(1);
    push_integer(Kind::integer, parsed<std::int64_t>(line));
  }

  template <class Number>
  Number parsed(std::string_view line) const {
    Number value{};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    check(error == std::errc{} && end == line.data() + line.size(), where(),
          "a bad number in the pickle before offset ", reader_.position());
    return value;
  }

  std::string_view unquoted(std::string_view line) const {
    const bool quoted = line.size() >= 2 && line.front() == line.back() &&
                        (line.front() == '\'' || line.front() == '"');
    check(quoted, where(), "a string without quotes in the pickle before offset ",
          reader_.position());
    return line.substr(1, line.size() - 2);
  }

  // A string of protocol 0, which no file with tensors uses; escapes are refused, not misread.
  void push_plain(std::string_view line) {
    check(line.find('\\') == std::string_view::npos, where(),
          "an escaped string in the pickle before offset ", reader_.position());
    push_text(Kind::text, io::as_bytes(line));
  }

  // Containers and memo.

  void add_items(const std::vector<const Value*>& items) {
    auto& target = top().items;
    check(!top().is(Kind::tuple), where(), "an item is added to a tuple");
    target.insert(target.end(), items.begin(), items.end());
  }
  void add_entries(const std::vector<const Value*>& pairs) {
    check(pairs.size() % 2 == 0, where(), "a dict key without value before offset ",
          reader_.position());
    auto& entries = top().entries;
    for (std::size_t i = 0; i < pairs.size(); i += 2) entries.emplace_back(pairs[i], pairs[i + 1]);
  }

  void remember(std::uint64_t index) {
    check(index < limits_.pickle_opcodes, where(), "memo index ", index, " is too large");
    if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1);
    memo_[static_cast<std::size_t>(index)] = &top();
  }
  void recall(std::uint64_t index) {
    check(index < memo_.size() && memo_[static_cast<std::size_t>(index)] != nullptr, where(),
          "memo ", index, " is used before it is set");
    stack_.push_back(memo_[static_cast<std::size_t>(index)]);
  }

  io::ByteReader reader_;
  const Limits& limits_;
  Document document_;
  std::vector<Value*> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Value*> memo_;
};

// Reads the pickle at the start of `data`, which must outlive the document.
inline Document read(Bytes data, std::string where, const Limits& limits) {
  return Machine(data, std::move(where), limits).run();
}

}  // namespace mien::weights::pickle
