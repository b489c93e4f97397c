// ImageFolder against torchvision's and Pillow (tests/golden/data/make_image_folder.py), and its
// images through cache and loader.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mien/data/image_cache.hpp>
#include <mien/data/image_folder.hpp>
#include <mien/data/loader.hpp>
#include <mien/data/resize_pillow.hpp>

#include "data/generated_images.hpp"
#include "support/csv.hpp"
#include "support/data_dir.hpp"
#include "support/images.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace {

namespace fs = std::filesystem;
using mien::Generator;
using mien::data::Image;
using mien::data::ImageFolder;
using mien::test::golden_path;
using mien::test::TemporaryFolder;
using mien::test::thrown;
using Strings = std::vector<std::string>;

// Copies an image of tests/golden/images into a class.
std::string copy(const TemporaryFolder& root, const std::string& image, const std::string& to) {
  fs::create_directories(fs::path(root / to).parent_path());
  fs::copy_file(golden_path("images/files/" + image), root / to);
  return root / to;
}

TEST(ImageFolder, FindsWhatTorchvisionFinds) {
  const TemporaryFolder root;
  std::map<int, std::pair<std::string, int>> expected;  // by place
  for (const auto& row : mien::test::read_csv(golden_path("data/image_folder.csv"))) {
    root.write(row.at(0), "x");
    const int place = std::stoi(row.at(1));
    if (place >= 0) expected[place] = {root / row.at(0), std::stoi(row.at(2))};
  }
  const ImageFolder folder(root.path().string());
  EXPECT_EQ(folder.classes(), (Strings{"Happy", "_odd", "anger", "happy"}));
  ASSERT_EQ(folder.size(), std::ssize(expected));
  for (const auto& [place, file] : expected) {
    const auto i = static_cast<std::size_t>(place);
    EXPECT_EQ(folder.paths()[i], file.first);
    EXPECT_EQ(folder.labels()[i], file.second) << file.first;
  }
  EXPECT_TRUE(folder.problems().empty());
}

TEST(ImageFolder, GivesRgbAsPillow) {
  const TemporaryFolder root;
  std::map<std::string, Strings> expected;
  for (auto& row : mien::test::read_csv(golden_path("data/image_folder_rgb.csv"))) {
    const bool by_stb = row[0].ends_with(".jpg") && mien::data::jpeg_library() == "stb_image";
    if (!by_stb) expected[copy(root, row[0], "face/" + row[0])] = row;
  }
  const ImageFolder folder(root.path().string());
  ASSERT_EQ(folder.size(), std::ssize(expected));
  for (std::int64_t i = 0; i < folder.size(); ++i) {
    Generator unused;
    const ImageFolder::Example example = folder.get(i, unused);
    const Strings& row = expected.at(example.path);
    const auto samples = example.image.samples<std::uint8_t>();
    EXPECT_EQ(example.label, 0);
    EXPECT_EQ(std::to_string(example.image.width()), row[1]);
    EXPECT_EQ(std::to_string(example.image.height()), row[2]);
    EXPECT_EQ(example.image.channels(), 3);
    EXPECT_EQ(std::to_string(mien::test::crc32(samples.data(), samples.size())), row[3]) << row[0];
  }
}

TEST(ImageFolder, TakesTheHighBytesOf16BitGrey) {
  const TemporaryFolder root;
  const std::string path = copy(root, "grey_16.png", "face/0.png");
  const Image image = ImageFolder(root.path().string()).image(0),
              grey = mien::data::read_image(path);
  ASSERT_EQ(grey.bits(), 16);
  for (std::size_t i = 0; i < grey.samples<std::uint16_t>().size(); ++i)
    for (std::size_t c = 0; c < 3; ++c)
      ASSERT_EQ(image.samples<std::uint8_t>()[3 * i + c], grey.samples<std::uint16_t>()[i] >> 8);
}

TEST(ImageFolder, TakesOtherExtensions) {
  const TemporaryFolder root;
  for (const char* name : {"a/0.jpg", "a/1.JPG", "a/2.png", "b/3.jpg"}) root.write(name, "x");
  const ImageFolder folder(root.path().string() + "/", {.extensions = {".jpg"}});
  EXPECT_EQ(folder.size(), 3);
  EXPECT_EQ(folder.labels(), (std::vector<std::int64_t>{0, 0, 1}));
}

TEST(ImageFolder, FollowsLinks) {
  const TemporaryFolder real, root;
  real.write("one/0.jpg", "x");
  real.write("two/more/1.jpg", "x");
  fs::create_directory_symlink(real / "one", root / "b");
  root.write("a/0.jpg", "x");
  fs::create_symlink(real / "one/0.jpg", root / "a/link.jpg");
  fs::create_directory_symlink(real / "two", root / "a/sub");
  EXPECT_EQ(ImageFolder(root.path().string()).paths(),
            (Strings{root / "a/0.jpg", root / "a/link.jpg", root / "a/sub/more/1.jpg",
                     root / "b/0.jpg"}));
}

TEST(ImageFolder, ProblemsAreErrorsOrListed) {
  const TemporaryFolder root;
  root.write("good/0.jpg", "x");
  const auto expect = [&](const std::string& path, const std::string& what) {
    const std::string text = "[" + (root / path) + "] " + what;
    EXPECT_EQ(thrown([&] { ImageFolder folder(root.path().string()); }), text);
    const ImageFolder folder(root.path().string(), {.strict = false});
    EXPECT_EQ(folder.paths(), Strings{root / "good/0.jpg"});
    EXPECT_EQ(folder.problems(), Strings{text});
    fs::remove_all(root / path);
  };
  root.write("good/1.jpg", "");
  expect("good/1.jpg", "is empty");
  fs::create_symlink("nowhere", root / "good/1.jpg");
  expect("good/1.jpg", "is no regular file");
  fs::create_directory_symlink(root / "good", root / "good/up");
  expect("good/up", "is a link to a folder that it lies in");
  root.write("bad/notes.txt", "x");
  EXPECT_EQ(ImageFolder(root.path().string(), {.strict = false}).classes(),
            (Strings{"bad", "good"}));
  expect("bad", "has no images");
}

TEST(ImageFolder, NamesWhatCannotBeRead) {
  const TemporaryFolder root;
  const std::string none = root / "none", here = root.path().string();
  EXPECT_EQ(thrown([&] { ImageFolder folder(none); }),
            "[" + none + "] cannot be read: No such file or directory");
  root.write("0.jpg", "x");
  EXPECT_EQ(thrown([&] { ImageFolder folder(here); }),
            "[" + here + "] expected a sub-folder for each class, found none");
  root.write("a/0.tif", "x");
  const ImageFolder folder(here);
  EXPECT_NE(thrown([&] { folder.image(0); }).find(root / "a/0.tif"), std::string::npos);
  EXPECT_EQ(thrown([&] { folder.image(1); }), "[image_folder] image 1 of 1");
  EXPECT_EQ(thrown([&] { folder.image(-1); }), "[image_folder] image -1 of 1");
}

// Resized images of a folder, kept in a cache.
struct Faces {
  ImageFolder folder;
  mien::data::ImageCache cache;

  Faces(const std::string& root, const std::string& path)
      : folder(root),
        cache({.path = path,
               .count = folder.size(),
               .height = 24,
               .width = 20,
               .source = mien::str("bilinear ", mien::data::digest_of_files(folder.paths()))}) {}

  struct Example {
    Image image;
    std::int64_t label;
  };
  std::int64_t size() const { return folder.size(); }
  Example get(std::int64_t i, Generator&) const {
    return {cache.get(i, [&] { return mien::data::resize_pillow(folder.image(i), 20, 24); }),
            folder.labels()[static_cast<std::size_t>(i)]};
  }
};

TEST(ImageFolder, ThroughCacheAndLoader) {
  const TemporaryFolder root, other;
  for (const char* name : {"a/rgb_8.png", "a/grey_8.png", "b/palette_8.png", "b/rgb_16.png"})
    copy(root, std::string(name).substr(2), name);
  for (int round = 0; round < 2; ++round) {  // the second from the cache alone
    const Faces faces(root.path().string(), other / "cache");
    EXPECT_EQ(faces.cache.filled(), round * 4);
    const mien::data::Loader loader(faces, {.batch_size = 3, .shuffle = true, .workers = 2});
    const auto order = mien::data::RandomSampler(4).order(0);
    std::size_t place = 0;
    for (const auto& [images, labels] : loader.epoch(0))
      for (std::int64_t k = 0; k < images.dim(0); ++k, ++place) {
        const Image expected = mien::data::resize_pillow(faces.folder.image(order[place]), 20, 24);
        const Image image =
            mien::data::to_image(images.as_strided({24, 20, 3}, {60, 3, 1}, k * 24 * 20 * 3));
        EXPECT_EQ(mien::test::largest_difference(image, expected), 0);
        EXPECT_EQ(labels(k), order[place] / 2);
      }
    EXPECT_EQ(place, 4u);
  }
  copy(root, "rgb_8.png", "b/z.png");
  fs::remove(root / "a/rgb_8.png");  // as many as before, but others
  EXPECT_NE(
      thrown([&] { Faces faces(root.path().string(), other / "cache"); }).find("source digest"),
      std::string::npos);
}

TEST(DigestOfFiles, KnowsChangedFiles) {
  using mien::data::digest_of_files;
  const TemporaryFolder root;
  const std::string a = root.write("a", "12"), b = root.write("b", "12");
  const Strings both = {a, b}, turned = {b, a};
  const std::uint64_t before = digest_of_files(both);
  EXPECT_EQ(digest_of_files(both), before);
  EXPECT_NE(digest_of_files(turned), before);
  EXPECT_NE(digest_of_files(std::span(both).first(1)), before);
  fs::last_write_time(a, fs::last_write_time(a) + std::chrono::seconds(1));
  const std::uint64_t later = digest_of_files(both);
  EXPECT_NE(later, before);
  const auto time = fs::last_write_time(b);
  root.write("b", "123");
  fs::last_write_time(b, time);
  EXPECT_NE(digest_of_files(both), later);
  const Strings none = {root / "none"};
  EXPECT_EQ(thrown([&] { digest_of_files(none); }), "[" + none[0] + "] No such file or directory");
}

TEST(Digest, EveryBitAndTheSizeCount) {
  const auto of = [](const std::vector<std::byte>& bytes, std::uint64_t seed = 0) {
    return mien::data::digest(bytes, seed);
  };
  std::vector<std::byte> bytes(77);
  const std::uint64_t before = of(bytes);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(of(bytes), before) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_NE(of(bytes, 1), before);
  bytes.push_back(std::byte{0});
  EXPECT_NE(of(bytes), before);
  EXPECT_NE(of({}, 1), of({}));
}

}  // namespace
