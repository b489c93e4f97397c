// The cache of decoded images: what comes out is what was put in, or nothing, whatever happens to
// threads, processes and the file.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <mien/core/random.hpp>
#include <mien/data/image_cache.hpp>

#include "support/images.hpp"
#include "support/temporary_folder.hpp"
#include "support/thrown.hpp"

namespace {

using mien::Generator;
using mien::data::Image;
using mien::data::ImageCache;
using mien::data::ImageCacheOptions;
using mien::test::TemporaryFolder;
using mien::test::thrown;

constexpr std::int64_t count = 40, height = 30, width = 50, slot_size = height * width * 3;
constexpr std::int64_t first_slot = 4096;

// Image i, in whose every row i shows.
Image image_of(std::int64_t i) {
  Image image(width, height, 3);
  std::uint32_t value = static_cast<std::uint32_t>(i);
  for (std::uint8_t& sample : image.samples<std::uint8_t>())
    sample = static_cast<std::uint8_t>((value = value * 1664525u + 1013904223u) >> 24);
  return image;
}

bool equal(const Image& a, const Image& b) {
  const auto x = a.samples<std::uint8_t>(), y = b.samples<std::uint8_t>();
  return a.width() == b.width() && std::equal(x.begin(), x.end(), y.begin(), y.end());
}

ImageCacheOptions options(const std::string& path = {}) {
  return {.path = path, .count = count, .height = height, .width = width, .source = "noise"};
}

void fill(const ImageCache& cache) {
  for (std::int64_t i = 0; i < cache.count(); ++i) cache.keep(i, image_of(i));
}

// How many images are there; what is there must be right.
std::int64_t found(const ImageCache& cache) {
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < cache.count(); ++i) {
    const Image image = cache.find(i);
    if (image.empty()) continue;
    ++found;
    EXPECT_TRUE(equal(image, image_of(i))) << i;
  }
  return found;
}

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void overwrite(const std::string& path, std::int64_t at, const std::string& bytes) {
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out).seekp(at) << bytes;
}

TEST(ImageCache, MakesEveryImageOnce) {
  const TemporaryFolder folder;
  for (const std::string& path : {std::string(), folder / "cache"}) {
    const ImageCache cache(options(path));
    EXPECT_EQ(cache.count(), count);
    EXPECT_EQ(cache.filled(), 0);
    EXPECT_TRUE(cache.find(3).empty());
    int made = 0;
    for (int round = 0; round < 3; ++round)
      for (const std::int64_t i : {3, 39, 0}) {
        const Image image = cache.get(i, [&] {
          ++made;
          return image_of(i);
        });
        EXPECT_TRUE(equal(image, image_of(i)));
      }
    EXPECT_EQ(made, 3);
    EXPECT_EQ(cache.filled(), 3);
    EXPECT_EQ(found(cache), 3);
  }
}

TEST(ImageCache, HoldsNothing) {
  const TemporaryFolder folder;
  for (int round = 0; round < 2; ++round) {
    const ImageCache cache({.path = folder / "cache", .count = 0, .height = 1, .width = 1});
    EXPECT_EQ(cache.filled(), 0);
    EXPECT_THROW(cache.find(0), mien::Error);
  }
}

TEST(ImageCache, AFailedImageIsNotKept) {
  const ImageCache cache(options());
  EXPECT_THROW(cache.get(1, []() -> Image { throw mien::Error("no such face"); }), mien::Error);
  EXPECT_TRUE(cache.find(1).empty());
}

TEST(ImageCache, MetadataIsDroppedAtOnce) {
  const ImageCache cache(options());
  for (int round = 0; round < 2; ++round) {
    const Image image = cache.get(1, [] {
      Image made = image_of(1);
      made.exif = made.icc = std::vector<std::byte>(9);
      return made;
    });
    EXPECT_TRUE(image.exif.empty() && image.icc.empty()) << round;
  }
}

TEST(ImageCache, FilesOutliveTheProgram) {
  const TemporaryFolder folder;
  const std::string path = folder / "cache";
  fill(ImageCache(options(path)));
  const ImageCache cache(options(path));
  EXPECT_EQ(cache.filled(), count);
  EXPECT_EQ(found(cache), count);
  EXPECT_EQ(std::filesystem::file_size(path), first_slot + count * slot_size);
}

TEST(ImageCache, FilesAreSparse) {
  const TemporaryFolder folder;
  const ImageCache cache(
      {.path = folder / "cache", .count = 2000, .height = 224, .width = 224, .channels = 3});
  cache.keep(1999, mien::test::picture(224, 224));
  EXPECT_TRUE(equal(cache.find(1999), mien::test::picture(224, 224)));
  struct stat status {};
  ASSERT_EQ(::stat((folder / "cache").c_str(), &status), 0);
  EXPECT_GT(status.st_size, 300000000);
  EXPECT_LT(status.st_blocks * 512, 3000000);
}

TEST(ImageCache, OpenFilesShareTheirImages) {
  const TemporaryFolder folder;
  const ImageCache one(options(folder / "cache")), other(options(folder / "cache"));
  one.keep(2, image_of(2));
  EXPECT_TRUE(equal(other.find(2), image_of(2)));
}

TEST(ImageCache, ThreadsFillOneCache) {
  const TemporaryFolder folder;
  for (const std::string& path : {std::string(), folder / "cache"}) {
    const ImageCache cache(options(path));
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 4; ++t)
      threads.emplace_back([&cache, &wrong, t] {
        Generator random(t);
        for (int round = 0; round < 500; ++round) {
          const auto i = static_cast<std::int64_t>(random.below(count));
          const Image image = cache.get(i, [&] { return image_of(i); });
          wrong += !equal(image, image_of(i));
          if (round % 7 == 0) cache.keep(i, image);  // beside those who read it
        }
      });
    threads.clear();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(found(cache), count);
  }
}

TEST(ImageCache, OtherImagesAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "cache";
  fill(ImageCache(options(path)));
  const std::string before = content(path);
  const auto error = [&](auto change) {
    ImageCacheOptions other = options(path);
    change(other);
    return thrown([&] { ImageCache cache(other); });
  };
  const std::string start = "[" + path + "] holds other images: expected ",
                    end = "; delete it, or name another file";
  EXPECT_EQ(error([](auto& o) { o.count = 41; }), start + "count 41, got 40" + end);
  EXPECT_EQ(error([](auto& o) { o.height = 50; }), start + "height 50, got 30" + end);
  EXPECT_EQ(error([](auto& o) { o.width = 49; }), start + "width 49, got 50" + end);
  EXPECT_EQ(error([](auto& o) { o.channels = 1; }), start + "channels 1, got 3" + end);
  EXPECT_EQ(error([](auto& o) { o.source += "!"; }).substr(0, start.size() + 13),
            start + "source digest");
  EXPECT_EQ(content(path), before);
  overwrite(path, 8, std::string(1, 2));
  EXPECT_EQ(error([](auto&) {}), start + "version 1, got 2" + end);
}

TEST(ImageCache, OtherFilesAreRefused) {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& path) {
    return thrown([&] { ImageCache cache(options(path)); });
  };
  const std::string text = folder.write("text", std::string(100, 'x')),
                    empty = folder.write("empty", ""), none = folder / "none/cache",
                    self = folder.path().string();
  EXPECT_EQ(error(text), "[" + text + "] is not a cache of images");
  EXPECT_EQ(content(text), std::string(100, 'x'));
  EXPECT_EQ(error(empty), "[" + empty + "] is not a cache of images");
  EXPECT_EQ(error(none), "[" + none + "] cannot be written: No such file or directory");
  EXPECT_EQ(error(self), "[" + self + "] cannot be opened: Is a directory");

  const std::string path = folder / "cache";
  fill(ImageCache(options(path)));
  for (const std::int64_t change : {-1, 1}) {
    const auto whole = first_slot + count * slot_size;
    std::filesystem::resize_file(path, static_cast<std::uintmax_t>(whole + change));
    EXPECT_EQ(error(path), mien::str('[', path, "] is damaged: expected ", whole, " bytes, got ",
                                     whole + change));
  }
}

TEST(ImageCache, WhatDoesNotFitIsRefused) {
  const ImageCache cache(options());
  const auto keep = [&](std::int64_t i, const Image& image) {
    return thrown([&] { cache.keep(i, image); });
  };
  const std::string start = "[image_cache] image 0: expected 50 x 30 x 3 of 8 bits, got ";
  EXPECT_EQ(keep(0, Image(30, 50, 3)), start + "30 x 50 x 3 of 8");
  EXPECT_EQ(keep(0, Image(50, 30, 1)), start + "50 x 30 x 1 of 8");
  EXPECT_EQ(keep(0, Image(50, 30, 3, 16)), start + "50 x 30 x 3 of 16");
  EXPECT_EQ(keep(0, Image()), start + "0 x 0 x 1 of 8");
  EXPECT_EQ(keep(40, image_of(0)), "[image_cache] image 40 of 40");
  EXPECT_EQ(thrown([&] { cache.find(-1); }), "[image_cache] image -1 of 40");
  const auto make = [](std::int64_t n, std::int64_t side, int channels) {
    return thrown([&] {
      ImageCache cache({.count = n, .height = side, .width = side, .channels = channels});
    });
  };
  EXPECT_EQ(make(-1, 8, 3), "[image_cache] expected 0 to 4294967296 images, got -1");
  EXPECT_EQ(make(1, 0, 3),
            "[image_cache] expected images of 1 to 1048576 by 1 to 1048576 with 1 to 4 channels, "
            "got 0 x 0 x 3");
  EXPECT_NE(make(1, 8, 5).find("got 8 x 8 x 5"), std::string::npos);
  EXPECT_EQ(make(std::int64_t{1} << 32, 1 << 20, 4),
            "[image_cache] too many pixels in 4294967296 images of 1048576 x 1048576");
}

// What a crash of the machine can leave: marks without pixels, and pixels without marks.
TEST(ImageCache, DamagedSlotsAreMadeAgain) {
  const TemporaryFolder folder;
  const std::string path = folder / "cache";
  fill(ImageCache(options(path)));
  const auto slot = [](std::int64_t i) { return first_slot + i * slot_size; };
  overwrite(path, slot(3), std::string(slot_size, '\0'));
  overwrite(path, slot(4) + slot_size - 1, "x");  // at the end, which fills no whole word
  overwrite(path, slot(5) + 1000, std::string(8, '\xaa'));
  overwrite(path, 64 + 8 * 6, std::string(8, '\0'));
  overwrite(path, 64 + 8 * 7, std::string(8, 'm'));
  const ImageCache cache(options(path));
  EXPECT_EQ(cache.filled(), count - 1);
  EXPECT_EQ(found(cache), count - 5);
  for (std::int64_t i = 0; i < count; ++i) {
    bool made = false;
    cache.get(i, [&] {
      made = true;
      return image_of(i);
    });
    EXPECT_EQ(made, i >= 3 && i <= 7) << i;
  }
  EXPECT_EQ(found(cache), count);
}

TEST(ImageCache, AFileThatNeverGrewIsUsed) {
  const TemporaryFolder folder;
  const std::string path = folder / "cache";
  ImageCache{options(path)};
  std::filesystem::resize_file(path, first_slot);
  const ImageCache cache(options(path));
  fill(cache);
  EXPECT_EQ(found(cache), count);
}

// A limit on the size of files stands for a full disk: no room beyond the first ten slots.
TEST(ImageCache, AFullDiskIsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "cache";
  const ImageCache cache(options(path));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{first_slot + 10 * slot_size, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::string kept = thrown([&] { fill(cache); });
  const std::string grown = thrown([&] { ImageCache another(options(folder / "another")); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(kept, "[" + path + "] cannot be written: File too large");
  EXPECT_EQ(grown, "[" + (folder / "another") + "] cannot grow to 184096 bytes: File too large");
  EXPECT_EQ(found(cache), 10);
}

// What a process does that fills a cache until it is killed.
[[noreturn]] void fill_from(const ImageCacheOptions& options, std::int64_t begin,
                            const std::vector<Image>& images) {
  try {
    const ImageCache cache(options);
    for (std::int64_t i = begin; i < begin + 10000000; ++i)
      cache.keep(i % options.count, images[static_cast<std::size_t>(i % count)]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  _exit(1);
}

// Two processes fill one file and are killed, sixty times. Marks stand for complete images then,
// without the comparison that finds the damage of a machine's crash. In every sixth round the
// processes make the file as well.
TEST(ImageCache, KilledProcessesLeaveCompleteImages) {
  const TemporaryFolder folder;
  std::vector<Image> images;
  for (std::int64_t i = 0; i < count; ++i) images.push_back(image_of(i));
  ImageCacheOptions large = options(folder / "empty");
  large.count = 100 * count;
  ImageCache{large};
  std::filesystem::resize_file(large.path, 32768);  // header and marks: a copy takes no time
  Generator random(1);
  std::int64_t survivors = 0;
  for (int round = 0; round < 60; ++round) {
    large.path = folder / "cache";
    if (round % 6 != 0) std::filesystem::copy_file(folder / "empty", large.path);
    pid_t children[2];
    for (pid_t& child : children) {
      const auto begin = static_cast<std::int64_t>(random.below(100)) * count;
      child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) fill_from(large, begin, images);
    }
    ::usleep(static_cast<useconds_t>(1000 + random.below(5000)));
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFSIGNALED(status));
    }
    const ImageCache cache(large);
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < large.count; ++i) {
      const Image image = cache.find(i);
      if (image.empty()) continue;
      ++found;
      ASSERT_TRUE(equal(image, images[static_cast<std::size_t>(i % count)]));
    }
    EXPECT_EQ(found, cache.filled()) << "round " << round;
    survivors += found;
    std::filesystem::remove(large.path);
  }
  EXPECT_GT(survivors, 0);
}

}  // namespace
