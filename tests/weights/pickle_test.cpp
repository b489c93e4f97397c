#include <gtest/gtest.h>
#include <mien/weights/pickle.hpp>

#include <string>

#include "weights/builders.hpp"
#include "weights/expect.hpp"

namespace mien::weights::pickle {
namespace {

using test::expect_error;
using test::PickleBuilder;
using Kind = Value::Kind;

// The document and the bytes that its texts point into.
struct Parsed {
  explicit Parsed(std::string pickle, const Limits& limits = {})
      : bytes(std::move(pickle)), document(read(io::as_bytes(bytes), "test.pkl", limits)) {}
  std::string bytes;
  Document document;
  const Value* operator->() const { return document.root; }
};

// A pickle without PROTO, as protocols 0 and 1 have it.
Parsed plain(std::string_view text) { return Parsed(std::string(text)); }

void expect_refused(const std::string& pickle, std::string_view why, const Limits& limits = {}) {
  expect_error([&] { Parsed(pickle, limits); }, {"test.pkl", why});
}

TEST(Pickle, Numbers) {
  EXPECT_EQ(plain("K\xff.")->integer, 255);
  EXPECT_EQ(plain("M\xff\xfe.")->integer, 0xfeff);
  EXPECT_EQ(plain("J\xfe\xff\xff\xff.")->integer, -2);
  EXPECT_EQ(plain(std::string_view("\x8a\x00.", 3))->integer, 0);
  EXPECT_EQ(plain("\x8a\x01\x80.")->integer, -128);
  EXPECT_EQ(plain(std::string_view("\x8a\x02\x80\x00.", 5))->integer, 128);
  EXPECT_EQ(Parsed(PickleBuilder().integer(INT64_MIN).stop())->integer, INT64_MIN);
  EXPECT_EQ(plain(std::string_view("\x8b\x01\0\0\0\x05.", 7))->integer, 5);
  EXPECT_EQ(plain("I-12\n.")->integer, -12);
  EXPECT_EQ(plain("L99L\n.")->integer, 99);
  EXPECT_EQ(plain("I01\n.")->kind, Kind::boolean);
  EXPECT_EQ(plain("F-2.5e3\n.")->real, -2500.0);
  EXPECT_EQ(plain(std::string_view("G\x3f\xf8\0\0\0\0\0\0.", 10))->real, 1.5);
  const auto magic = plain("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
  EXPECT_EQ(magic->kind, Kind::big_integer);
  EXPECT_EQ(magic->text.size(), 10u);
}

TEST(Pickle, TextsAndBytes) {
  EXPECT_EQ(plain("\x8c\x03xyz.")->text, "xyz");
  EXPECT_EQ(plain(std::string_view("X\x01\0\0\0a.", 7))->text, "a");
  EXPECT_EQ(plain(std::string_view("\x8d\x01\0\0\0\0\0\0\0b.", 11))->text, "b");
  EXPECT_EQ(plain("U\x02hi.")->text, "hi");
  EXPECT_EQ(plain("S'quoted'\n.")->text, "quoted");
  EXPECT_EQ(plain("Vplain\n.")->text, "plain");
  EXPECT_EQ(plain("C\x01\x80.")->kind, Kind::bytes);
}

TEST(Pickle, Containers) {
  // {"a": [1, (2, None)], "b": {True}} by protocol 2 opcodes and by those of protocol 4.
  using Op = PickleBuilder::Op;
  const Parsed two(PickleBuilder()
                       .op(Op::empty_dict)
                       .op(Op::mark)
                       .text("a")
                       .op(Op::empty_list)
                       .op(Op::mark)
                       .integer(1)
                       .integer(2)
                       .op(Op::none)
                       .op(Op::tuple2)
                       .op(Op::appends)
                       .text("b")
                       .op(Op::empty_set)
                       .op(Op::mark)
                       .op(Op::newtrue)
                       .op(Op::additems)
                       .op(Op::setitems)
                       .stop());
  ASSERT_EQ(two->kind, Kind::dict);
  const Value* list = two->find("a");
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(list->items[0]->integer, 1);
  EXPECT_EQ(list->items[1]->kind, Kind::tuple);
  EXPECT_EQ(list->items[1]->items[1]->kind, Kind::none);
  EXPECT_EQ(two->find("b")->items.size(), 1u);
  EXPECT_EQ(two->find("c"), nullptr);

  EXPECT_EQ(plain("(I1\nI2\nl.")->items.size(), 2u);
  EXPECT_EQ(plain("(Va\nI2\nd.")->find("a")->integer, 2);
  EXPECT_EQ(plain("(K\x01K\x02t.")->items[1]->integer, 2);
  EXPECT_EQ(plain("(K\x01K\x02\x91.")->kind, Kind::set);
  EXPECT_EQ(plain("(K\x01"
                  "0K\x02K\x03"
                  "1K\x04.")
                ->integer,
            4);
  EXPECT_EQ(plain("K\x01"
                  "2\x86.")
                ->items.size(),
            2u);
}

TEST(Pickle, TheLastValueOfAKeyCounts) {
  const auto dict = plain("}(Va\nK\x01Va\nK\x02u.");
  EXPECT_EQ(dict->entries.size(), 2u);
  EXPECT_EQ(dict->find("a")->integer, 2);
}

TEST(Pickle, MemoReturnsTheSameValue) {
  const auto list = plain(
      "]q\x05(h\x05h\x05"
      "e.");
  EXPECT_EQ(list->items[0], list.document.root);  // it contains itself
  EXPECT_EQ(list->items[1], list.document.root);
  EXPECT_EQ(plain("]p3\ng3\n\x86.")->items[0]->kind, Kind::list);
  EXPECT_EQ(plain("]\x94K\x01\x94h\x01\x86.")->items.size(), 2u);
}

TEST(Pickle, CallsAreRecordedAndNotMade) {
  const Parsed call(PickleBuilder()
                        .global("posix", "system")
                        .text("touch /tmp/executed")
                        .op(Op::tuple1)
                        .op(Op::reduce)
                        .op(Op::empty_dict)
                        .op(Op::build)
                        .stop());
  EXPECT_EQ(call->kind, Kind::object);
  EXPECT_TRUE(call->callee->is_symbol("posix", "system"));
  EXPECT_EQ(call->args->items[0]->text, "touch /tmp/executed");
  EXPECT_EQ(call->state->kind, Kind::dict);

  const auto made = plain("\x8c\x01m\x8c\x01n\x93)\x81.");
  EXPECT_TRUE(made->callee->is_symbol("m", "n"));
}

TEST(Pickle, PersistentIdsAreListed) {
  const auto pair = plain("Pone\nK\x02Q\x86.");
  ASSERT_EQ(pair.document.persistents.size(), 2u);
  EXPECT_EQ(pair.document.persistents[0]->args->text, "one");
  EXPECT_EQ(pair.document.persistents[1]->args->integer, 2);
}

TEST(Pickle, EndsAtStop) { EXPECT_EQ(plain("N.garbage").document.size, 2u); }

TEST(Pickle, RefusesTruncation) {
  for (const std::string_view text : {"", "K", "X\x05", "cmodule", "I12", "(", "N"})
    expect_refused(std::string(text), "");
  expect_refused(std::string("X\xff\xff\xff\xff", 5), "ends early");
  expect_refused(std::string("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", 9), "ends early");
  expect_refused(std::string("\x8b\xff\xff\xff\x7f", 5), "ends early");
  expect_refused(std::string("\x95\xff\xff\xff\xff\0\0\0\0N.", 11), "frame");
}

TEST(Pickle, RefusesStackErrors) {
  expect_refused(".", "empty");
  expect_refused("(.", "empty");
  expect_refused("t.", "no mark");
  expect_refused("K\x01\x86.", "empty");
  expect_refused("K\x01(\x85.", "empty");  // a value below the mark is out of reach
  expect_refused(
      "K\x01(0"
      "00.",
      "empty");
  expect_refused("]a.", "empty");
  expect_refused("}(K\x01u.", "without value");
  expect_refused(
      ")K\x01"
      "a.",
      "tuple");
  expect_refused("b.", "empty");
  expect_refused("2.", "empty");
  expect_refused("q\x01.", "empty");
  expect_refused("K\x01K\x02\x93.", "STACK_GLOBAL");
}

TEST(Pickle, RefusesBadMemoUse) {
  expect_refused("h\x01.", "memo 1");
  expect_refused("Nq\x05h\x04.", "memo 4");
  expect_refused(std::string("Nr\xff\xff\xff\xff.", 7), "too large");
  expect_refused("Np99999999999999999999\n.", "bad number");
  expect_refused("Np-1\n.", "bad number");
}

TEST(Pickle, RefusesBadNumbersAndStrings) {
  expect_refused("I12x\n.", "bad number");
  expect_refused("I\n.", "bad number");
  expect_refused("F1,5\n.", "bad number");
  expect_refused("L99999999999999999999L\n.", "bad number");
  expect_refused("Sbare\n.", "without quotes");
  expect_refused("S'\n.", "without quotes");
  expect_refused("V\\u0041\n.", "escaped");
}

TEST(Pickle, RefusesCodeExtensionsAndUnknownOpcodes) {
  for (const std::string_view text : {"\x82\x01.", "(io\nx\n.", "(o.", "\x97.", "N\x98.", "\xff."})
    expect_refused(std::string(text), "not supported");
  expect_refused("\x80\x06N.", "protocol 6");
}

TEST(Pickle, LimitsAreKept) {
  Limits limits;
  limits.pickle_opcodes = 10;
  expect_refused("NNNNNNNNNNN.", "more than 10", limits);
  expect_refused("Nq\x0b.", "too large", limits);
  limits = {};
  limits.pickle_bytes = 3;
  expect_refused("NNNN.", "ends early", limits);
}

TEST(Pickle, DeepNestingNeedsNoRecursion) {
  const std::size_t depth = 300'000;
  const Parsed nested(std::string(depth, ']') + std::string(depth - 1, 'a') + ".");
  EXPECT_EQ(nested->items.size(), 1u);
}

}  // namespace
}  // namespace mien::weights::pickle
