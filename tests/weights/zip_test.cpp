#include <gtest/gtest.h>
#include <mien/weights/zip.hpp>

#include <string>

#include "weights/builders.hpp"
#include "weights/expect.hpp"

namespace mien::weights {
namespace {

using test::expect_error;
using test::ZipBuilder;

// The text of an entry, read under limits.
std::string content(const std::string& archive, std::string_view name, const Limits& limits = {}) {
  MemoryBudget budget(limits, archive.size());
  ZipArchive zip(io::as_bytes(archive), "test.zip", limits, budget);
  const ZipEntry* entry = zip.find(name);
  if (entry == nullptr) return "(none)";
  return std::string(io::as_text(zip.contents(*entry)));
}

// `archive` with `bytes` written over what is at `at`; a negative `at` counts from the end.
std::string patched(std::string archive, std::ptrdiff_t at, std::string_view bytes) {
  const auto start =
      at < 0 ? archive.size() - static_cast<std::size_t>(-at) : static_cast<std::size_t>(at);
  return archive.replace(start, bytes.size(), bytes);
}

const std::string two_entries =
    ZipBuilder().add({"a", "first"}).add({"folder/b", std::string(5000, 'x'), true}).finish();

TEST(Zip, ReadsStoredAndDeflatedEntries) {
  EXPECT_EQ(content(two_entries, "a"), "first");
  EXPECT_EQ(content(two_entries, "folder/b"), std::string(5000, 'x'));
  EXPECT_EQ(content(two_entries, "c"), "(none)");
  EXPECT_EQ(content(ZipBuilder().add({"e", ""}).add({"f", "", true}).finish(), "f"), "");
}

TEST(Zip, FindsTheDirectoryBehindAComment) {
  std::string archive = two_entries;
  archive.replace(archive.size() - 2, 2, test::little(65535, 2));
  archive += std::string(65535, 'c');
  EXPECT_EQ(content(archive, "a"), "first");
  expect_error([&] { content(archive + "c", "a"); }, {"test.zip", "cut off"});
}

TEST(Zip, ReadsZip64OfPyTorch) {
  const io::MappedFile file(test::weights_golden("state_dict.pt"));
  const std::string archive(io::as_text(file.bytes()));
  EXPECT_NE(archive.find("PK\x06\x06"), std::string::npos);  // has a zip64 end record
  EXPECT_EQ(content(archive, "archive/version"), "3\n");
}

TEST(Zip, ReadsSizesFromZip64Fields) {
  // One entry whose directory record has all three 32-bit values open.
  const std::string name = "big", data = "contents";
  const auto crc =
      test::little(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()), 4);
  const std::string local = "PK\x03\x04" + test::little(0, 10) + crc + test::little(0, 8) +
                            test::little(name.size(), 2) + test::little(0, 2) + name + data;
  const std::string extra = test::little(0x4246, 2) + test::little(2, 2) + "FB" +
                            test::little(1, 2) + test::little(24, 2) +
                            test::little(data.size(), 8) + test::little(data.size(), 8) +
                            test::little(0, 8);
  const std::string central = "PK\x01\x02" + test::little(0, 12) + crc +
                              test::little(0xffffffff, 4) + test::little(0xffffffff, 4) +
                              test::little(name.size(), 2) + test::little(extra.size(), 2) +
                              test::little(0, 10) + test::little(0xffffffff, 4) + name + extra;
  const std::string end64 = "PK\x06\x06" + test::little(44, 8) + test::little(0, 12) +
                            test::little(1, 8) + test::little(1, 8) +
                            test::little(central.size(), 8) + test::little(local.size(), 8);
  const std::string locator = "PK\x06\x07" + test::little(0, 4) +
                              test::little(local.size() + central.size(), 8) + test::little(1, 4);
  const std::string end = "PK\x05\x06" + test::little(0xffffffff, 4) + test::little(0xffff, 2) +
                          test::little(0xffff, 2) + test::little(0xffffffff, 4) +
                          test::little(0xffffffff, 4) + test::little(0, 2);
  EXPECT_EQ(content(local + central + end64 + locator + end, name), data);
}

TEST(Zip, RefusesDamage) {
  expect_error([] { content("PK\x03\x04", "a"); }, {"test.zip", "cut off"});
  expect_error([] { content(two_entries.substr(0, two_entries.size() - 1), "a"); }, {"cut off"});
  expect_error([] { content(patched(two_entries, 0, "XX"), "a"); }, {"entry a", "local header"});
  expect_error([] { content(patched(two_entries, 30, "z"), "a"); }, {"entry a", "another name"});
  expect_error([] { content(patched(two_entries, 31, "F"), "a"); }, {"entry a", "CRC"});
  expect_error(
      [] {
        content(ZipBuilder().add({"a", "x", true, -1, 1}).finish(), "a");
      },
      {"entry a", "CRC"});
  expect_error([] { content(patched(two_entries, -12, test::little(3, 4)), "a"); },
               {"zip directory"});
  expect_error([] { content(patched(two_entries, -6, test::little(0xfffffff0, 4)), "a"); },
               {"outside the file"});
  expect_error([] { content(patched(two_entries, -12, test::little(3000, 2)), "a"); },
               {"zip directory"});
}

// As PyTorch writes archives after torch.serialization.set_crc32_options(False).
TEST(Zip, ReadsArchivesWithoutAnyCrc) {
  ZipBuilder zip;
  zip.add({"a", "first", false, -1, 0}).add({"b", "second", true, -1, 0});
  EXPECT_EQ(content(zip.finish(), "a"), "first");
  EXPECT_EQ(content(zip.finish(), "b"), "second");
  zip.add({"c", "third"});
  expect_error([&] { content(zip.finish(), "a"); }, {"entry a", "CRC"});
}

TEST(Zip, RefusesWhatItCannotRead) {
  const std::size_t central = two_entries.find("PK\x01\x02");
  const auto with = [&](std::size_t at, std::string_view bytes) {
    return patched(two_entries, static_cast<std::ptrdiff_t>(central + at), bytes);
  };
  expect_error([&] { content(with(8, "\x01"), "a"); }, {"entry a", "encrypted"});
  expect_error([&] { content(with(10, "\x0c"), "a"); }, {"entry a", "method 12"});
  expect_error([&] { content(with(24, "\x09"), "a"); }, {"entry a", "sizes"});
  expect_error([&] { content(with(20, "\xff\xff\xff\x7f"), "a"); }, {"entry a", "ends early"});
  expect_error([&] { content(with(42, "\xff\xff\xff\x7f"), "a"); }, {"entry a", "beyond the end"});
}

TEST(Zip, RefusesTwoEntriesOfOneName) {
  expect_error(
      [] {
        content(ZipBuilder().add({"a", "1"}).add({"a", "2"}).finish(), "a");
      },
      {"test.zip", "two zip entries are named a"});
}

TEST(Zip, RefusesOverlappingEntries) {
  // The second directory record points to the first entry's data.
  std::string archive = ZipBuilder().add({"a", "1"}).add({"a", "2"}).finish();
  const std::size_t second = archive.rfind("PK\x01\x02");
  archive.replace(second + 42, 4, test::little(0, 4));
  expect_error([&] { content(archive, "a"); }, {"two zip entries"});
  archive = ZipBuilder()
                .add({"a", "PK\x03\x04" + std::string(22, '\0') + test::little(1, 2) +
                               test::little(0, 2) + "b2"})
                .add({"b", "2"})
                .finish();
  archive.replace(archive.rfind("PK\x01\x02") + 42, 4, test::little(31, 4));
  expect_error([&] { content(archive, "b"); }, {"overlap"});
}

TEST(Zip, RefusesBombs) {
  const std::string zeros(std::size_t{4} << 20, '\0');
  const std::string bomb = ZipBuilder().add({"zeros", zeros, true}).finish();
  EXPECT_EQ(content(bomb, "zeros"), zeros);
  Limits limits;
  limits.memory_floor = 1 << 20;
  expect_error([&] { content(bomb, "zeros", limits); }, {"entry zeros", "asks for 4194304 bytes"});

  const auto lying = [&](std::int64_t size) {
    return ZipBuilder().add({"zeros", zeros, true, size}).finish();
  };
  expect_error([&] { content(lying(10), "zeros"); }, {"entry zeros", "damaged"});
  expect_error([&] { content(lying(5 << 20), "zeros"); }, {"entry zeros", "damaged"});
  expect_error([&] { content(lying(0xfffffffe), "zeros"); }, {"entry zeros", "asks for"});
}

TEST(Zip, RefusesTooManyEntriesAndLongNames) {
  Limits limits;
  limits.zip_entries = 1;
  expect_error([&] { content(two_entries, "a", limits); }, {"2 zip entries"});
  limits = {};
  limits.name_length = 7;
  expect_error([&] { content(two_entries, "a", limits); }, {"a name of 8 bytes"});
}

}  // namespace
}  // namespace mien::weights
