#pragma once
// A fixture whose tests run once in each instruction set of the machine:
//   class Simd : public mien::test::EachIsa {};
//   INSTANTIATE_TEST_SUITE_P(EveryIsa, Simd, mien::test::every_isa, mien::test::isa_name);

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include <mien/cpu/isa.hpp>

namespace mien::test {

class EachIsa : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (GetParam() > best_isa()) GTEST_SKIP() << "this machine lacks the instruction set";
    scope_.emplace(GetParam());
  }

 private:
  std::optional<IsaScope> scope_;
};

inline const auto every_isa = testing::Values(Isa::scalar, Isa::avx2, Isa::avx512);

inline std::string isa_name(const testing::TestParamInfo<Isa>& info) {
  return std::string(to_string(info.param));
}

}  // namespace mien::test
