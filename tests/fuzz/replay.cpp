// Runs a fuzz target once on every file of a folder, and on a few mutilations of each: what
// libFuzzer found stays mended where libFuzzer is not at hand.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::uint8_t> read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The file, its prefixes, and the file with one bit turned, at 64 places.
void replay(std::vector<std::uint8_t> bytes) {
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  constexpr std::size_t places = 64;
  for (std::size_t i = 0; i < places; ++i) {
    const std::size_t at = bytes.size() * i / places;
    const std::vector<std::uint8_t> prefix(bytes.begin(),
                                           bytes.begin() + static_cast<std::ptrdiff_t>(at));
    LLVMFuzzerTestOneInput(prefix.data(), prefix.size());
    if (at >= bytes.size()) continue;
    const auto bit = static_cast<std::uint8_t>(1u << (i % 8));
    bytes[at] ^= bit;
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    bytes[at] ^= bit;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    replay(read(entry.path()));
    ++files;
  }
  std::printf("%d seeds replayed\n", files);
  return files > 0 ? 0 : 1;
}
