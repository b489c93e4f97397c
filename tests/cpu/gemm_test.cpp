// Matrix products against their definition in double, on every instruction set.

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <mien/cpu/gemm.hpp>

#include "cpu/guarded.hpp"
#include "support/each_isa.hpp"
#include "support/thread_count.hpp"

namespace {

using mien::bf16;
using mien::Cpu;
using mien::f16;
using mien::Generator;
using mien::kernels::Activation;
using mien::kernels::GemmParams;
using mien::kernels::Packed;
using mien::test::Guarded;

struct Sizes {
  std::int64_t m, n, k;
};

std::vector<Sizes> sizes() {
  std::vector<Sizes> all;
  for (const std::int64_t m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 22, 23, 29, 50})
    all.push_back({m, 21, 17});
  for (const std::int64_t n : {1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65, 100})
    all.push_back({19, n, 23});
  for (const std::int64_t k : {1, 2, 3, 64, 1000}) all.push_back({15, 34, k});
  all.push_back({33, 40, 8200});   // k in blocks
  all.push_back({200, 300, 150});  // several pieces for threads
  all.push_back({37, 50, 1024});   // rows 4096 bytes apart
  all.push_back({0, 5, 5});
  all.push_back({5, 0, 5});
  all.push_back({5, 5, 0});
  return all;
}

// Each layout gives strides for a and b; elements between the rows are left alone.
struct Layout {
  std::string name;
  GemmParams (*params)(Sizes);
};

const Layout layouts[] = {
    {"a * b", [](Sizes s) { return GemmParams{s.m, s.n, s.k, s.k, 1, s.n, 1, s.n}; }},
    {"a^T * b", [](Sizes s) { return GemmParams{s.m, s.n, s.k, 1, s.m, s.n, 1, s.n}; }},
    {"a * b^T", [](Sizes s) { return GemmParams{s.m, s.n, s.k, s.k, 1, 1, s.k, s.n}; }},
    {"a^T * b^T", [](Sizes s) { return GemmParams{s.m, s.n, s.k, 1, s.m, 1, s.k, s.n}; }},
    {"padded rows",
     [](Sizes s) { return GemmParams{s.m, s.n, s.k, s.k + 3, 1, s.n + 5, 1, s.n + 7}; }},
    {"no unit stride",
     [](Sizes s) { return GemmParams{s.m, s.n, s.k, 2 * s.k, 2, 3 * s.n, 3, s.n}; }},
};

std::int64_t extent(std::int64_t rows, std::int64_t row, std::int64_t columns,
                    std::int64_t column) {
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * row + (columns - 1) * column + 1;
}

template <class T, class B = T>
struct Data {
  Guarded<T> a;
  Guarded<B> b;
  Guarded<T> c;
  explicit Data(const GemmParams& p, Generator generator = Generator(1))
      : a(Guarded<T>::random(extent(p.m, p.a_row, p.k, p.a_col), generator)),
        b(Guarded<B>::random(extent(p.k, p.b_row, p.n, p.b_col), generator)),
        c(Guarded<T>::random(extent(p.m, p.c_row, p.n, 1), generator)) {}
};

class Gemm : public mien::test::EachIsa {};

template <class T, class B = T>
void expect_product(const GemmParams& p, const std::string& name) {
  Data<T, B> d(p);
  Guarded<double> expected = d.c.in_double();
  mien::kernels::gemm(Cpu{}, d.c.data(), d.a.data(), d.b.data(), p);
  mien::kernels::gemm_reference(expected.data(), d.a.in_double().data(), d.b.in_double().data(), p);
  EXPECT_EQ(difference(d.c, expected), "")
      << name << ", m " << p.m << ", n " << p.n << ", k " << p.k;
}

TEST_P(Gemm, EqualsItsDefinition) {
  for (const Layout& layout : layouts)
    for (const Sizes& s : sizes()) {
      const GemmParams p = layout.params(s);
      expect_product<float>(p, layout.name);
      expect_product<double>(p, layout.name);
      expect_product<bf16>(p, layout.name);
      expect_product<f16>(p, layout.name);
      expect_product<bf16, float>(p, layout.name);
      expect_product<f16, float>(p, layout.name);
    }
}

TEST_P(Gemm, FusesTheEpilogue) {
  const GemmParams p{23, 45, 30, 30, 1, 45, 1, 45};
  Generator generator(2);
  const auto parameters = Guarded<float>::random(128, generator);
  const auto parameters64 = parameters.in_double();
  for (const Activation a : {Activation::none, Activation::silu, Activation::prelu}) {
    Data<float> d(p);
    Guarded<double> expected(d.c.size());
    const auto residual = Guarded<float>::random(d.c.size(), generator);
    const auto residual64 = residual.in_double();
    mien::kernels::gemm(Cpu{}, d.c.data(), d.a.data(), d.b.data(), p,
                        {.scale = parameters.data(),
                         .shift = parameters.data() + 40,
                         .activation = a,
                         .slopes = parameters.data() + 80,
                         .out_scale = 0.5f,
                         .residual = residual.data()});
    mien::kernels::gemm_reference(expected.data(), d.a.in_double().data(), d.b.in_double().data(),
                                  p,
                                  {.scale = parameters64.data(),
                                   .shift = parameters64.data() + 40,
                                   .activation = a,
                                   .slopes = parameters64.data() + 80,
                                   .out_scale = 0.5,
                                   .residual = residual64.data()});
    EXPECT_EQ(difference(d.c, expected), "");
  }
}

TEST_P(Gemm, AddsToTheOutputWhereItIsTheResidual) {
  const GemmParams p{30, 45, 9000, 9000, 1, 45, 1, 45};  // k in blocks, too
  Data<float> d(p);
  Guarded<double> expected = d.c.in_double();
  mien::kernels::gemm(Cpu{}, d.c.data(), d.a.data(), d.b.data(), p, {.residual = d.c.data()});
  mien::kernels::gemm_reference(expected.data(), d.a.in_double().data(), d.b.in_double().data(), p,
                                {.residual = expected.data()});
  EXPECT_EQ(difference(d.c, expected), "");
}

TEST_P(Gemm, WeightsPackedOnceGiveTheSameBits) {
  const GemmParams p{50, 75, 60, 60, 1, 75, 1, 75};
  Data<float> d(p);
  Guarded<float> c(d.c.size()), packed(mien::kernels::packed_size<float>(p.k, p.n));
  mien::kernels::pack_b(Cpu{}, packed.data(), d.b.data(), p.k, p.n, p.b_row, p.b_col);
  EXPECT_TRUE(packed.guards_stand());
  mien::kernels::gemm(Cpu{}, d.c.data(), d.a.data(), d.b.data(), p);
  mien::kernels::gemm(Cpu{}, c.data(), d.a.data(), Packed<float>{packed.data()}, p);
  EXPECT_EQ(std::memcmp(c.data(), d.c.data(), static_cast<std::size_t>(c.size()) * 4), 0);
}

TEST_P(Gemm, BitsDoNotDependOnTheNumberOfThreads) {
  for (const Layout& layout : layouts)
    for (const Sizes& s : {Sizes{200, 300, 150}, Sizes{500, 40, 64}, Sizes{7, 900, 200}}) {
      const GemmParams p = layout.params(s);
      Data<float> d(p);
      Guarded<float> c(d.c.size());
      std::copy_n(d.c.data(), c.size(), c.data());
      for (const int threads : {1, 3}) {
        const mien::test::ThreadCount scope(threads);
        mien::kernels::gemm(Cpu{}, threads == 1 ? c.data() : d.c.data(), d.a.data(), d.b.data(), p);
      }
      EXPECT_EQ(std::memcmp(c.data(), d.c.data(), static_cast<std::size_t>(c.size()) * 4), 0)
          << layout.name;
    }
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, Gemm, mien::test::every_isa, mien::test::isa_name);

}  // namespace
