#include <gtest/gtest.h>
#include <mien/train/svg_confusion.hpp>
#include <mien/train/svg_curves.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>
#include <support/thrown.hpp>
#include <train/records.hpp>

namespace mien::train {
namespace {

using test::thrown;

int count_of(std::string_view text, std::string_view piece) {
  int count = 0;
  for (auto at = text.find(piece); at != text.npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

// Tags that open and close in order, quotes and ampersands in their places: an XML parser's view.
void expect_well_formed(std::string_view xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] == '<') {
      const auto end = xml.find('>', at);
      ASSERT_NE(end, xml.npos);
      std::string_view tag = xml.substr(at + 1, end - at - 1);
      EXPECT_EQ(tag.find('<'), tag.npos) << tag;
      EXPECT_EQ(count_of(tag, "\"") % 2, 0) << tag;
      const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
      if (name[0] == '/') {
        ASSERT_FALSE(open.empty());
        EXPECT_EQ(name.substr(1), open.back());
        open.pop_back();
      } else if (!tag.ends_with('/')) {
        open.push_back(name);
      }
      at = end + 1;
    } else {
      EXPECT_TRUE(xml[at] != '&' || xml.find(';', at) - at < 6u);
      ++at;
    }
  }
  EXPECT_TRUE(open.empty());
  for (const char* number : {"nan", "inf", "e+", "e-0"})
    EXPECT_EQ(xml.find(std::string("=\"") + number), xml.npos);
}

std::vector<std::string> labels(const std::vector<Axis::Tick>& ticks) {
  std::vector<std::string> labels;
  for (const auto& tick : ticks) labels.push_back(tick.label);
  return labels;
}
using Labels = std::vector<std::string>;

TEST(Svg, TextIsEscaped) {
  EXPECT_EQ(xml_escaped("a<b> & \"c\"\n\u00e9"), "a&lt;b&gt; &amp; &quot;c&quot;?\u00e9");
  EXPECT_EQ(xml_escaped("x\xff<"), "x?&lt;");
}

TEST(Svg, IsSavedWhole) {
  const test::TemporaryFolder folder;
  Svg svg;
  svg.line({0, 0}, {10, 5}, {.dashes = "5 3", .opacity = 0.5});
  svg.text({1, 2}, "<", {.bold = true, .rotation = -45});
  const std::string document = svg.document(20, 10);
  save_text(folder / "x.svg", document);
  EXPECT_EQ(content_of(folder / "x.svg"), document);
  expect_well_formed(document);
  EXPECT_NE(document.find("points=\"0.0,0.0 10.0,5.0\""), document.npos);
  EXPECT_NE(document.find("rotate(-45.0 1.0 2.0)"), document.npos);
}

TEST(Svg, HoldsImages) {
  Svg svg;
  svg.image({1, 2}, 30, 40, io::as_bytes("foobar"), "a & b");
  const std::string document = svg.document(50, 60);
  expect_well_formed(document);
  EXPECT_NE(document.find("<image x=\"1.0\" y=\"2.0\" width=\"30.0\" height=\"40.0\" "
                          "xlink:href=\"data:image/jpeg;base64,Zm9vYmFy\">"
                          "<title>a &amp; b</title></image>"),
            document.npos);
  EXPECT_NE(document.find("xmlns:xlink=\"http://www.w3.org/1999/xlink\""), document.npos);
}

TEST(Axis, TicksAreRoundNumbers) {
  EXPECT_EQ(labels(Axis(0, 1, 0, 100).ticks(5)),
            (Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(Axis(-0.13, 0.12, 0, 100).ticks(5)),
            (Labels{"-0.10", "-0.05", "0.00", "0.05", "0.10"}));
  EXPECT_EQ(labels(Axis(1, 300, 0, 100).ticks(4)), (Labels{"100", "200", "300"}));
  EXPECT_EQ(labels(Axis(0, 5e7, 0, 100).ticks(3)), (Labels{"0", "2e+07", "4e+07"}));
  EXPECT_EQ(labels(Axis(1, 3, 0, 100).ticks(8, true)), (Labels{"1", "2", "3"}));
  EXPECT_EQ(labels(Axis(2e-7, 6e-7, 0, 100).ticks(2)), (Labels{"2e-07", "4e-07", "6e-07"}));
}

TEST(Axis, LogarithmicTicks) {
  EXPECT_EQ(labels(Axis(1e-4, 1, 0, 100, true).ticks(8)),
            (Labels{"0.0001", "0.001", "0.01", "0.1", "1"}));
  EXPECT_EQ(labels(Axis(1e-8, 1, 0, 100, true).ticks(4)),
            (Labels{"1e-08", "1e-06", "0.0001", "0.01", "1"}));
  EXPECT_EQ(labels(Axis(0.3, 4, 0, 100, true).ticks(8)), (Labels{"0.5", "1", "2"}));
  EXPECT_EQ(labels(Axis(2, 4.2, 0, 100, true).ticks(3)), (Labels{"2", "3", "4"}));
  const Axis axis(0.01, 100, 200, 0, true);
  EXPECT_NEAR(axis.pixel(1), 100, 1e-9);
  EXPECT_NEAR(axis.pixel(100), 0, 1e-9);
}

TEST(Axis, ASingleValueLiesInTheMiddle) {
  for (const double value : {0.0, -3.0, 1e-20, 1e300})
    EXPECT_NEAR(Axis(value, value, 0, 100).pixel(value), 50, 1e-6) << value;
  EXPECT_NEAR(Axis(5, 5, 0, 100, true).pixel(5), 50, 1e-6);
}

TEST(Curves, AreTakenFromRecords) {
  const auto records = history(8);
  const auto loss = curves_of(records, "loss");
  ASSERT_EQ(loss.size(), 2u);
  EXPECT_EQ(loss[0].name, "train");
  EXPECT_EQ(loss[0].points.size(), 8u);
  EXPECT_EQ(loss[1].name, "val");
  ASSERT_EQ(loss[1].points.size(), 2u);
  EXPECT_EQ(loss[1].points[1].x, 8);
  EXPECT_EQ(loss[1].points[1].y, 0.25);
  EXPECT_EQ(curves_of(records, "f1").size(), 1u);
  EXPECT_TRUE(curves_of(records, "other").empty());
}

TEST(Curves, ThinningKeepsTheOutline) {
  std::vector<Point> points;
  for (int i = 0; i < 10000; ++i) points.push_back({i / 100.0, i == 5050 ? 1000.0 : i % 7 * 1.0});
  const auto kept = detail::thinned(points);
  EXPECT_LE(kept.size(), 400u);
  EXPECT_EQ(kept.front().x, 0);
  EXPECT_EQ(kept.back().x, points.back().x);
  EXPECT_EQ(std::count_if(kept.begin(), kept.end(), [](Point p) { return p.y == 1000; }), 1);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(), [](Point a, Point b) { return a.x < b.x; }));
}

TEST(Curves, RunningMeansFollowALineAndFlattenNoise) {
  std::vector<Point> noise, line;
  for (int i = 0; i < 1000; ++i) {
    noise.push_back({i * 1.0, i % 2 * 1.0});
    line.push_back({i * 1.0, i * 2.0});
  }
  EXPECT_TRUE(detail::noisy(noise));
  EXPECT_FALSE(detail::noisy(line));
  const auto flat = detail::running_means(noise), same = detail::running_means(line);
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_NEAR(flat[i].y, 0.5, 0.05);
  for (std::size_t i = 20; i < 980; ++i) EXPECT_NEAR(same[i].y, line[i].y, 1e-9);
}

TEST(Curves, AreDrawnWhateverTheyHold) {
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<Curve> curves = {{"train <&>", {}}, {"", {}}, {"one", {{5, 5}}}};
  for (int i = 0; i < 10000; ++i)
    curves[0].points.push_back({i * 1.0, i % 1000 == 500 ? std::nan("") : 1.0 / (1 + i % 37)});
  curves[0].points.push_back({10000, -inf});
  for (const bool log_y : {false, true}) {
    const std::string svg =
        curves_svg(curves, {.title = "\"loss\" <b>", .y_label = "a & b", .log_y = log_y});
    expect_well_formed(svg);
    EXPECT_NE(svg.find("train &lt;&amp;&gt;"), svg.npos);
    EXPECT_LT(svg.size(), 100000u);
  }
  curves[0].points = {{1, 0}, {2, -1}, {3, -inf}};
  curves.resize(1);
  EXPECT_NE(curves_svg(curves, {.log_y = true}).find("no values"), std::string::npos);
  EXPECT_EQ(curves_svg(curves).find("no values"), std::string::npos);
  expect_well_formed(curves_svg({}));
}

TEST(Curves, NothingLeavesTheDrawing) {
  std::vector<Curve> curves;
  for (int i = 0; i < 9; ++i)
    curves.push_back(
        {"a curve with a rather long name " + std::to_string(i), {{1, i * 1.0}, {9, 3}}});
  const std::string svg = curves_svg(curves, {.title = std::string(300, 'W')});
  expect_well_formed(svg);
  EXPECT_NE(svg.find("WW..."), svg.npos);
  double height = 0;
  ASSERT_EQ(std::sscanf(svg.c_str(), "%*[^h]http%*[^\"]\" width=\"720\" height=\"%lf\"", &height),
            1);
  EXPECT_GT(height, 400) << "more rows of the legend";
  for (auto at = svg.find(" y=\""); at != svg.npos; at = svg.find(" y=\"", at + 1))
    EXPECT_LT(std::stod(svg.substr(at + 4)), height);
}

TEST(Confusion, ShowsSharesAndCounts) {
  const std::vector<std::int64_t> counts = {3, 1, 0, 0, 0, 0, 1, 0, 199};
  const std::vector<std::string> names = {"A", "B & C", "D"};
  const std::string svg = confusion_svg(counts, names, {.title = "matrix"});
  expect_well_formed(svg);
  for (const char* text : {">75.0%<", ">25.0%<", ">0.5%<", ">99.5%<", ">199<", ">n = 4<", ">n = 0<",
                           ">n = 200<", ">matrix<", ">true class<"})
    EXPECT_EQ(count_of(svg, text), 1) << text;
  EXPECT_EQ(count_of(svg, ">B &amp; C<"), 2);
  EXPECT_EQ(count_of(svg, ">-<"), 3) << "a class without examples has no shares";
}

TEST(Confusion, ColoursRunFromWhiteToDark) {
  EXPECT_EQ(detail::share_colour(0), "#ffffff");
  EXPECT_EQ(detail::share_colour(0.3), "#b6d4ee");
  EXPECT_EQ(detail::share_colour(1), "#0b3d73");
}

TEST(Confusion, IsDrawnForAnyNumberOfClasses) {
  for (const std::size_t classes : {1u, 8u, 20u, 60u}) {
    const std::vector<std::string> names(classes, std::string(100, 'n'));
    const std::vector<std::int64_t> counts(classes * classes, 123456789012);
    expect_well_formed(confusion_svg(counts, names));
  }
}

TEST(Confusion, RefusesCountsThatAreNone) {
  const std::vector<std::string> names = {"A", "B"};
  EXPECT_EQ(thrown([&] {
              confusion_svg(std::vector<std::int64_t>{1, 2, 3}, names);
            }),
            "[confusion matrix] expected 4 counts for 2 classes, got 3");
  EXPECT_EQ(thrown([&] {
              confusion_svg(std::vector<std::int64_t>{1, 2, 3, -1}, names);
            }),
            "[confusion matrix] expected no negative count, got -1");
  EXPECT_NE(thrown([&] { confusion_svg({}, {}); }), "nothing was thrown");
}

}  // namespace
}  // namespace mien::train
