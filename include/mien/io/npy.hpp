#pragma once
// NumPy's .npy format (numpy.lib.format), versions 1.0 to 3.0: a magic text, the size of the
// header, the header as a Python dict, then the elements, little endian, in C order:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
// Read are floats, integers and bools of the types in npy_types, and text ('<U5').

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mien/core/any_tensor.hpp>
#include <mien/io/byte_reader.hpp>
#include <mien/io/json_reader.hpp>
#include <mien/io/parse_number.hpp>
#include <mien/io/printable.hpp>
#include <mien/io/stored_type.hpp>

namespace mien::io {

// An array of numbers, or of texts in C order.
struct NpyArray {
  Shape shape;
  AnyTensor numbers;               // undefined where the elements are text
  std::vector<std::string> texts;  // UTF-8, without the zeros that fill them up
};

namespace detail {

inline constexpr std::pair<std::string_view, StoredType> npy_types[] = {
    {"<f4", StoredType::f32}, {"<f8", StoredType::f64}, {"<i4", StoredType::i32},
    {"<i8", StoredType::i64}, {"|u1", StoredType::u8},  {"|b1", StoredType::boolean}};

// The dict, with exactly the keys above in any order.
class NpyHeader {
 public:
  NpyHeader(std::string_view text, std::string_view file) : text_(text), file_(file) {
    expect('{');
    while (!accept('}')) {
      entry();
      if (accept('}')) break;
      expect(',');
    }
    skip_space();
    check(at_ == text_.size(), file_, "more text after the header, at offset ", at_);
    check(seen_ == 7, file_, "expected descr, fortran_order and shape in the header");
  }

  std::string_view descr;
  bool fortran_order = false;
  Shape shape;

 private:
  void entry() {
    constexpr std::string_view keys[] = {"descr", "fortran_order", "shape"};
    const std::string_view key = string();
    const auto* found = std::find(std::begin(keys), std::end(keys), key);
    const unsigned bit = 1u << (found - keys);
    check(found != std::end(keys) && (seen_ & bit) == 0, file_,
          "an unknown or doubled key before offset ", at_, " of the header");
    seen_ |= bit;
    expect(':');
    if (key == "descr")
      descr = string();
    else if (key == "shape")
      tuple();
    else
      fortran_order = boolean();
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool accept(char symbol) { return accept(std::string_view(&symbol, 1)); }
  void expect(char symbol) {
    const bool found = accept(symbol);
    check(found, file_, "'", symbol, "' expected at offset ", at_, " of the header");
  }

  bool boolean() {
    if (accept("True")) return true;
    const bool no = accept("False");
    check(no, file_, "True or False expected at offset ", at_, " of the header");
    return false;
  }

  // Without escapes: no name that is known has one.
  std::string_view string() {
    const char quote = accept('"') ? '"' : '\'';
    const bool found = quote == '"' || accept(quote);
    const std::size_t end = text_.find(quote, at_);
    check(found && end != std::string_view::npos, file_, "a text in quotes expected at offset ",
          at_, " of the header");
    const std::string_view value = text_.substr(at_, end - at_);
    at_ = end + 1;
    return value;
  }

  std::int64_t size() {
    skip_space();
    std::int64_t value = -1;
    const char* first = text_.data() + at_;
    const auto [stop, error] = std::from_chars(first, text_.data() + text_.size(), value);
    check(error == std::errc() && value >= 0, file_, "a size expected at offset ", at_,
          " of the header");
    at_ += static_cast<std::size_t>(stop - first);
    return value;
  }

  void tuple() {
    expect('(');
    while (!accept(')')) {
      check(shape.rank() < Shape::max_rank, file_, "expected at most ", Shape::max_rank,
            " dimensions");
      shape.push_back(size());
      check(!__builtin_mul_overflow(count_, std::max<std::int64_t>(shape[-1], 1), &count_), file_,
            "too many elements in shape ", shape);
      if (accept(')')) {
        check(shape.rank() > 1, file_, "expected a tuple as the shape, got one number");
        return;
      }
      expect(',');
    }
  }

  std::string_view text_, file_;
  std::int64_t count_ = 1;  // elements, were no size 0
  std::size_t at_ = 0;
  unsigned seen_ = 0;  // a bit per key
};

// Text of `width` UCS-4 characters, filled up with zeros.
inline std::string npy_text(Bytes element, const std::string& file) {
  ByteReader reader(element, file);
  std::string text;
  std::size_t end = 0;  // behind the last character that is not zero
  while (!reader.done()) {
    const std::uint32_t code = reader.u32();
    check(code <= 0x10ffff && (code < 0xd800 || code >= 0xe000), file, "code ", code,
          " is no Unicode character");
    append_utf8(text, code);
    if (code != 0) end = text.size();
  }
  text.resize(end);
  return text;
}

inline std::vector<std::string> npy_texts(std::string_view width_text, std::size_t count,
                                          Bytes data, const std::string& file) {
  constexpr std::uint64_t largest_width = 1 << 20;
  const std::uint64_t width = parse_number<std::uint64_t>(width_text).value_or(0);
  check(width >= 1 && width <= largest_width, file, "expected texts of 1 to ", largest_width,
        " characters, got '<U", printable(width_text), "'");
  const std::size_t size = 4 * static_cast<std::size_t>(width);
  check(data.size() % size == 0 && data.size() / size == count, file, count, " texts of ", size,
        " bytes expected, got ", data.size(), " bytes");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i)
    texts.push_back(npy_text(data.subspan(i * size, size), file));
  return texts;
}

inline AnyTensor npy_numbers(std::string_view descr, const Shape& shape, Bytes data,
                             const std::string& file) {
  const auto* type = std::find_if(std::begin(npy_types), std::end(npy_types),
                                  [&](const auto& known) { return known.first == descr; });
  check(type != std::end(npy_types), file, "element type '", printable(descr),
        "' is not supported, expected <f4, <f8, <i4, <i8, |u1, |b1 or <U");
  const std::size_t size = size_of(type->second);
  const auto count = static_cast<std::size_t>(shape.numel());
  check(data.size() % size == 0 && data.size() / size == count, file, count, " elements of ", size,
        " bytes expected, got ", data.size(), " bytes");
  return decode(type->second, shape, data);
}

}  // namespace detail

// The array in the bytes of a file; `name` stands for the file in errors. Nothing may follow it.
inline NpyArray parse_npy(Bytes file, const std::string& name) {
  constexpr std::uint32_t largest_header = 10'000;  // as numpy.load accepts
  ByteReader reader(file, name);
  check(as_text(file).starts_with("\x93NUMPY"), name, "is not a .npy file");
  reader.seek(6);
  const int major = reader.u8(), minor = reader.u8();
  check(major >= 1 && major <= 3 && minor == 0, name, "version ", major, '.', minor,
        " of the .npy format, expected 1.0 to 3.0");
  const std::uint32_t size = major == 1 ? reader.u16() : reader.u32();
  check(size <= largest_header, name, "a header of ", size, " bytes, expected at most ",
        largest_header);
  const detail::NpyHeader header(as_text(reader.take(size)), name);
  check(!header.fortran_order, name, "is in Fortran order, expected C order");
  const std::int64_t count = header.shape.numel();

  NpyArray array{header.shape, {}, {}};
  const Bytes data = reader.take(reader.remaining());
  if (header.descr.starts_with("<U"))
    array.texts =
        detail::npy_texts(header.descr.substr(2), static_cast<std::size_t>(count), data, name);
  else
    array.numbers = detail::npy_numbers(header.descr, header.shape, data, name);
  return array;
}

inline NpyArray read_npy(const std::string& path) {
  const MappedFile file(path);
  return parse_npy(file.bytes(), path);
}

// The one number in a file that numpy.save wrote of a scalar, be it stored as number or as text
// (float(numpy.load(path)) in Python).
inline double read_npy_number(const std::string& path) {
  const NpyArray array = read_npy(path);
  check(array.shape.numel() == 1, path, "expected one number, got shape ", array.shape);
  if (array.numbers.defined()) {
    const double value = *array.numbers.as<double>().data();
    check(std::isfinite(value), path, "expected a finite number, got ", value);
    return value;
  }
  const auto value = parse_number<double>(array.texts[0]);
  check(value.has_value(), path, "expected a number, got '", printable(array.texts[0]), "'");
  return *value;
}

}  // namespace mien::io
