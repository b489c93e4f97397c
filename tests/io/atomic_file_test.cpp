#include <gtest/gtest.h>
#include <mien/io/atomic_file.hpp>
#include <mien/io/byte_reader.hpp>

#include <filesystem>
#include <string>

namespace mien::io {
namespace {

namespace fs = std::filesystem;

// A folder that is empty at first and gone in the end.
class AtomicFileTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string content(const std::string& path) const {
    return std::string(as_text(MappedFile(path).bytes()));
  }
  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

  fs::path folder_ = fs::path(testing::TempDir()) / "mien_atomic_file_test";
  std::string path_ = (folder_ / "file").string();
};

TEST_F(AtomicFileTest, CommitReplacesTheFile) {
  for (const std::string_view text : {"old", "the new content"}) {
    AtomicFile file(path_);
    file.write(as_bytes(text.substr(0, 2)));
    file.write(as_bytes(text.substr(2)));
    file.commit();
    EXPECT_EQ(content(path_), text);
  }
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, WithoutCommitNothingChanges) {
  {
    AtomicFile file(path_);
    file.write(as_bytes("old"));
    file.commit();
  }
  {
    AtomicFile file(path_);
    file.write(as_bytes("half of the new cont"));
    EXPECT_EQ(content(path_), "old");
    EXPECT_EQ(files(), 2);
  }
  EXPECT_EQ(content(path_), "old");
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, TwoWritersOfOneFileDoNotMix) {
  AtomicFile first(path_), second(path_);
  first.write(as_bytes("first"));
  second.write(as_bytes("second"));
  second.commit();
  EXPECT_EQ(content(path_), "second");
  first.commit();
  EXPECT_EQ(content(path_), "first");
}

TEST_F(AtomicFileTest, RefusesFoldersAndMissingFolders) {
  EXPECT_THROW(AtomicFile file(folder_.string()), Error);
  EXPECT_THROW(AtomicFile file(path_ + "/below"), Error);
  EXPECT_EQ(files(), 0);
}

TEST_F(AtomicFileTest, MappedFileNamesWhatCannotBeRead) {
  EXPECT_THROW(MappedFile file(path_), Error);
  EXPECT_THROW(MappedFile file(folder_.string()), Error);
  AtomicFile(path_).commit();
  EXPECT_TRUE(MappedFile(path_).bytes().empty());
}

TEST(ByteReader, EveryReadIsChecked) {
  ByteReader reader(as_bytes(std::string_view("\x01\x02\x03line\n", 8)), "place");
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0302);
  EXPECT_THROW(reader.u64(), Error);
  EXPECT_EQ(reader.line(), "line");
  EXPECT_TRUE(reader.done());
  EXPECT_THROW(reader.take(1), Error);
  EXPECT_THROW(reader.take(~std::uint64_t{0}), Error);
  EXPECT_THROW(reader.line(), Error);
  EXPECT_THROW(reader.seek(9), Error);
  reader.seek(0);
  EXPECT_EQ(reader.remaining(), 8u);
}

}  // namespace
}  // namespace mien::io
