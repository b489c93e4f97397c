// The orders against those written down with the published data and networks.

#include <gtest/gtest.h>
#include <mien/affect/label_orders.hpp>

namespace mien::affect {
namespace {

TEST(LabelOrders, AffectNetLabelsAsOutputs) {
  EXPECT_EQ(affectnet8_output_of_label, (std::array<int, 11>{5, 4, 6, 7, 3, 2, 0, 1, -1, -1, -1}));
  EXPECT_EQ(label_map(affectnet8_outputs, affectnet_labels),
            (std::array<int, 8>{6, 7, 5, 4, 1, 0, 2, 3}));
}

TEST(LabelOrders, OthersAsOutputs) {
  EXPECT_EQ(affectnet8_output_of_lsd, (std::array<int, 6>{0, 2, 3, 4, 6, 7}));
  EXPECT_EQ(label_map(affectnet7_outputs, affectnet8_outputs),
            (std::array<int, 7>{0, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(label_map(abaw_expressions, affectnet8_outputs),
            (std::array<int, 8>{5, 0, 2, 3, 4, 6, 7, -1}));
  EXPECT_EQ(label_map(abaw_expressions, lsd_expressions),
            (std::array<int, 8>{-1, 0, 1, 2, 3, 4, 5, -1}));
}

TEST(LabelOrders, FoldersOfLsd) {
  for (std::size_t i = 0; i < lsd_folders.size(); ++i)
    EXPECT_EQ(find_lsd_folder(lsd_folders[i]), static_cast<int>(i));
  EXPECT_EQ(find_lsd_folder("ANGER"), 0);
  EXPECT_EQ(find_lsd_folder("anger"), std::nullopt);
  EXPECT_EQ(find_lsd_folder("NEUTRAL"), std::nullopt);
}

}  // namespace
}  // namespace mien::affect
