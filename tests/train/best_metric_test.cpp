#include <gtest/gtest.h>
#include <mien/train/best_metric.hpp>
#include <mien/train/early_stopping.hpp>

#include <cmath>

#include <support/thrown.hpp>

namespace mien::train {
namespace {

using test::thrown;

TEST(BestMetric, KeepsTheBestValueAndItsStep) {
  BestMetric highest;
  EXPECT_FALSE(highest.state().known);
  EXPECT_TRUE(highest.update(-3, 10));
  EXPECT_FALSE(highest.update(-3, 20)) << "the same is no better";
  EXPECT_TRUE(highest.update(-2, 30));
  EXPECT_FALSE(highest.update(-5, 40));
  EXPECT_EQ(highest.state(), (BestMetricState{true, -2, 30}));

  BestMetric lowest({.goal = Goal::minimize});
  EXPECT_TRUE(lowest.update(3, 1));
  EXPECT_FALSE(lowest.update(4, 2));
  EXPECT_TRUE(lowest.update(2, 3));
  EXPECT_EQ(lowest.state(), (BestMetricState{true, 2, 3}));
}

TEST(BestMetric, ASmallGainIsNone) {
  BestMetric highest({.min_delta = 0.25});
  EXPECT_TRUE(highest.update(1, 1));
  EXPECT_FALSE(highest.update(1.25, 2));
  EXPECT_FALSE(highest.update(1.2, 3));
  EXPECT_TRUE(highest.update(1.5, 4));
  BestMetric lowest({.goal = Goal::minimize, .min_delta = 0.25});
  EXPECT_TRUE(lowest.update(1, 1));
  EXPECT_FALSE(lowest.update(0.75, 2));
  EXPECT_TRUE(lowest.update(0.5, 3));
  EXPECT_EQ(thrown([] { BestMetric({.min_delta = -1}); }),
            "[best metric] expected min_delta of at least 0, got -1");
  EXPECT_NE(thrown([] { BestMetric({.min_delta = std::nan("")}); }), "nothing was thrown");
}

TEST(BestMetric, NaNIsNeverBetterAndNeverInTheWay) {
  BestMetric best;
  EXPECT_FALSE(best.update(std::nan(""), 1));
  EXPECT_FALSE(best.state().known);
  EXPECT_TRUE(best.update(-HUGE_VAL, 2));
  EXPECT_FALSE(best.update(std::nan(""), 3));
  EXPECT_TRUE(best.update(0, 4));
}

TEST(EarlyStopping, EndsAfterAsManyValuesWithoutGainAsItHasPatience) {
  EarlyStopping stopping({.patience = 3});
  const double values[] = {1, 2, 1, 2, 3, 3, 2, 1, 9};
  const bool expected[] = {false, false, false, false, false, false, false, true, false};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(stopping.update(values[i], i), expected[i]) << i;
  EXPECT_EQ(stopping.state(), (EarlyStoppingState{{true, 9, 8}, 0}));
}

TEST(EarlyStopping, ValuesThatAreNoNumbersEndARunToo) {
  EarlyStopping stopping({.patience = 2, .goal = Goal::minimize});
  EXPECT_FALSE(stopping.update(std::nan(""), 1));
  EXPECT_TRUE(stopping.update(std::nan(""), 2));
}

TEST(EarlyStopping, GoesOnFromItsState) {
  const EarlyStoppingOptions options{.patience = 4, .goal = Goal::minimize, .min_delta = 0.01};
  const double values[] = {0.7, 0.5, 0.495, 0.6, 0.45, 0.45, 0.7, 0.5, 0.449};
  for (int cut = 0; cut <= 9; ++cut) {
    EarlyStopping whole(options), before(options), after(options);
    for (int i = 0; i < cut; ++i)
      EXPECT_EQ(before.update(values[i], i), whole.update(values[i], i));
    after.restore(before.state());
    for (int i = cut; i < 9; ++i) EXPECT_EQ(after.update(values[i], i), whole.update(values[i], i));
    EXPECT_EQ(after.state(), whole.state());
    EXPECT_EQ(whole.state().without_gain, 4);
  }
}

TEST(EarlyStopping, NeedsPatience) {
  EXPECT_EQ(thrown([] { EarlyStopping({.patience = 0}); }),
            "[early stopping] expected a patience of at least 1, got 0");
}

}  // namespace
}  // namespace mien::train
