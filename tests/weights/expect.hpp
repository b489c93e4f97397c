#pragma once
// Expectations that several tests of weight files share.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <mien/io/safetensors.hpp>
#include <mien/weights/checkpoint.hpp>

#include "support/data_dir.hpp"

namespace mien::test {

inline std::string weights_golden(std::string_view name) {
  return golden_path("weights/" + std::string(name));
}

// Runs `action`, which must throw mien::Error with all of `parts` in its text.
template <class Action>
void expect_error(Action&& action, std::initializer_list<std::string_view> parts) {
  try {
    action();
  } catch (const Error& error) {
    for (const auto part : parts)
      EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
          << "'" << part << "' is not in: " << error.what();
    return;
  }
  ADD_FAILURE() << "no error; expected one about '" << *parts.begin() << "'";
}

inline bool identical(const AnyTensor& a, const AnyTensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.nbytes() == 0 || std::memcmp(a.bytes(), b.bytes(), a.nbytes()) == 0);
}

inline const AnyTensor* find(const std::vector<io::NamedTensor>& tensors, std::string_view name) {
  for (const auto& [known, tensor] : tensors)
    if (known == name) return &tensor;
  return nullptr;
}

// Same names, types, shapes and bytes, in any order.
inline void expect_same(const std::vector<io::NamedTensor>& got,
                        const std::vector<io::NamedTensor>& expected) {
  EXPECT_EQ(got.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    const AnyTensor* other = find(got, name);
    ASSERT_NE(other, nullptr) << name << " is missing";
    EXPECT_TRUE(identical(*other, tensor)) << name;
  }
}

}  // namespace mien::test
