// Files that were cut off or altered give a valid result or an Error: never a crash, a hang, an
// exception of another type or (under a sanitizer) undefined behaviour.

#include <gtest/gtest.h>
#include <mien/weights/import.hpp>
#include <mien/weights/read.hpp>

#include <cstdint>
#include <string>

#include "weights/builders.hpp"
#include "weights/expect.hpp"

namespace mien::weights {
namespace {

// Reproducible numbers (SplitMix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t limit) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<std::size_t>((z ^ (z >> 31)) % limit);
  }

 private:
  std::uint64_t state_;
};

std::string content(std::string_view golden) {
  const io::MappedFile file(test::weights_golden(golden));
  return std::string(io::as_text(file.bytes()));
}

// One to four bytes changed: a bit turned, or a byte replaced by one that matters to parsers.
std::string altered(std::string bytes, Random& random) {
  constexpr std::string_view telling("\0\xff\x7f\x80\x01.(", 7);
  for (std::size_t i = 0, changes = 1 + random.below(4); i < changes; ++i) {
    char& byte = bytes[random.below(bytes.size())];
    if (random.below(2) == 0)
      byte = static_cast<char>(byte ^ (1 << random.below(8)));
    else
      byte = telling[random.below(telling.size())];
  }
  return bytes;
}

Limits small_limits() {
  Limits limits;
  limits.memory_floor = 1 << 20;
  return limits;
}

// Counts outcomes, so that a test which only ever sees one of them is noticed.
struct Outcomes {
  int read = 0, refused = 0;

  template <class Action>
  void run(Action&& action) {
    try {
      action();
      ++read;
    } catch (const Error&) {
      ++refused;
    }
  }
};

void read_and_import(const std::string& bytes) {
  const Checkpoint checkpoint = read_checkpoint(io::as_bytes(bytes), "damaged", small_limits());
  import_checkpoint(checkpoint);
}

class Damage : public testing::TestWithParam<const char*> {};

TEST_P(Damage, PrefixesAreRefused) {
  const std::string bytes = content(GetParam());
  Outcomes outcomes;
  const std::size_t step = bytes.size() / 400 + 1;
  for (std::size_t size = 0; size < bytes.size(); size += step)
    outcomes.run(
        [&] { read_checkpoint(io::as_bytes(bytes.substr(0, size)), "damaged", small_limits()); });
  EXPECT_EQ(outcomes.read, 0);
}

TEST_P(Damage, AlteredBytesAreReadOrRefused) {
  const std::string bytes = content(GetParam());
  Random random(1);
  Outcomes outcomes;
  for (int i = 0; i < 2000; ++i) outcomes.run([&] { read_and_import(altered(bytes, random)); });
  EXPECT_EQ(outcomes.read + outcomes.refused, 2000);
  EXPECT_GT(outcomes.refused, 0);
}

INSTANTIATE_TEST_SUITE_P(, Damage,
                         testing::Values("state_dict.pt", "deflated.pt", "legacy.pt", "module.pt",
                                         "module_legacy.pt", "torchscript.pt", "big_endian.pt",
                                         "wrapped.pt", "rrdbnet.pt", "expected.safetensors",
                                         "srvgg.safetensors"));

// The CRC of an archive hides most changes to its entries from the readers behind it. Here the
// pickle is altered and packed anew.
TEST(DamagedPickle, IsReadOrRefused) {
  const Limits limits = small_limits();
  for (const auto* golden : {"state_dict.pt", "module.pt", "protocol4.pt", "rrdbnet.pt"}) {
    const std::string file = content(golden);
    MemoryBudget budget(limits, file.size());
    ZipArchive archive(io::as_bytes(file), golden, limits, budget);
    Random random(2);
    Outcomes outcomes;
    for (int i = 0; i < 2000; ++i) {
      test::ZipBuilder zip;
      for (const ZipEntry& entry : archive.entries()) {
        const std::string data(io::as_text(archive.contents(entry)));
        zip.add({entry.name, entry.name.ends_with(".pkl") ? altered(data, random) : data});
      }
      outcomes.run([&] { read_and_import(zip.finish()); });
    }
    EXPECT_EQ(outcomes.read + outcomes.refused, 2000);
    EXPECT_GT(outcomes.refused, 0) << golden;
  }
}

TEST(DamagedNcnn, IsReadOrRefused) {
  const std::string param = content("srvgg_half.param"), bin = content("srvgg_half.bin");
  Random random(3);
  Outcomes outcomes;
  for (int i = 0; i < 3000; ++i)
    outcomes.run([&] {
      read_ncnn(io::as_bytes(altered(param, random)),
                io::as_bytes(i % 2 == 0 ? bin : altered(bin, random)), "net.param", "net.bin",
                small_limits());
    });
  EXPECT_GT(outcomes.read, 0);
  EXPECT_GT(outcomes.refused, 0);
}

TEST(DamagedOnnx, IsReadOrRefused) {
  const std::string tensor = test::proto_number(1, 2) + test::proto_number(1, 3) +
                             test::proto_number(2, 1) + test::proto_bytes(8, "w") +
                             test::proto_bytes(9, std::string(24, 'x'));
  const std::string norm = test::proto_bytes(1, "x") + test::proto_bytes(1, "w2") +
                           test::proto_bytes(2, "y") + test::proto_bytes(4, "BatchNormalization");
  const std::string same =
      test::proto_bytes(1, "w") + test::proto_bytes(2, "w2") + test::proto_bytes(4, "Identity");
  const std::string model =
      test::proto_number(1, 8) +
      test::proto_bytes(7, test::proto_bytes(1, same) + test::proto_bytes(1, norm) +
                               test::proto_bytes(5, tensor));
  EXPECT_EQ(read_onnx(io::as_bytes(model), "net.onnx", small_limits()).tensors.size(), 1u);
  Random random(4);
  Outcomes outcomes;
  for (int i = 0; i < 5000; ++i)
    outcomes.run(
        [&] { read_onnx(io::as_bytes(altered(model, random)), "net.onnx", small_limits()); });
  EXPECT_GT(outcomes.read, 0);
  EXPECT_GT(outcomes.refused, 0);
}

}  // namespace
}  // namespace mien::weights
