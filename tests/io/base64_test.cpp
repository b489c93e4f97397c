#include <gtest/gtest.h>
#include <mien/io/base64.hpp>
#include <mien/io/byte_reader.hpp>

#include <string>

namespace mien::io {
namespace {

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  const auto encoded = [](std::string_view text) { return base64(as_bytes(text)); };
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
}

TEST(Base64, AllDigits) {
  std::string bytes;
  for (unsigned i = 0; i < 64; i += 4) {
    const unsigned bits = i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3);
    for (const unsigned shift : {16u, 8u, 0u}) bytes += static_cast<char>(bits >> shift & 255);
  }
  EXPECT_EQ(base64(as_bytes(bytes)),
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

}  // namespace
}  // namespace mien::io
