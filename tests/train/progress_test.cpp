#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <mien/train/progress.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace mien::train {
namespace {

// A file that keeps what is written, and is no terminal.
class Paper {
 public:
  ~Paper() { std::fclose(file_); }
  std::FILE* file() { return file_; }
  std::string text() {
    std::string text;
    std::rewind(file_);
    for (int c = 0; (c = std::fgetc(file_)) != EOF;) text += static_cast<char>(c);
    return text;
  }

 private:
  std::FILE* file_ = std::tmpfile();
};

// A terminal of so many columns.
class Terminal {
 public:
  explicit Terminal(unsigned short columns) {
    setenv("TERM", "xterm", 1);
    master_ = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_TRUE(master_ >= 0 && grantpt(master_) == 0 && unlockpt(master_) == 0);
    resize(columns);
    file_ = std::fopen(ptsname(master_), "w");
  }
  ~Terminal() {
    std::fclose(file_);
    close(master_);
  }

  void resize(unsigned short columns) const {
    const winsize size{.ws_row = 24, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    EXPECT_EQ(ioctl(master_, TIOCSWINSZ, &size), 0);
  }
  std::FILE* file() { return file_; }
  // What was written since the last call.
  std::string text() const {
    std::string text(4096, '\0');
    fcntl(master_, F_SETFL, O_NONBLOCK);
    const auto size = read(master_, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  int master_ = -1;
  std::FILE* file_ = nullptr;
};

const std::string redraw = "\r\033[K";

TEST(Progress, DrawsALineThatFillsTheTerminal) {
  Terminal terminal(80);
  double now = 100;
  Progress progress({.out = terminal.file(), .clock = [&] { return now; }});
  progress.begin({.label = "epoch 3/10", .total = 200, .unit = "img"});
  progress.update(0);
  EXPECT_EQ(terminal.text(), redraw + "epoch 3/10 [>                             ]   0%");
  now += 2;
  progress.update(50, "loss 1.234");
  EXPECT_EQ(
      terminal.text(),
      redraw + "epoch 3/10 [=======>                    ]  25%  25.0 img/s  6s left  loss 1.234");
  now += 2;
  progress.update(200, "loss 1.1");
  const std::string end = terminal.text();
  EXPECT_NE(end.find("=] 100%"), std::string::npos) << end;
  EXPECT_NE(end.find("0s left  loss 1.1"), std::string::npos) << end;
  progress.print("epoch 3/10: loss 1.1");
  EXPECT_EQ(terminal.text(), redraw + "epoch 3/10: loss 1.1\r\n");
  progress.clear();
  EXPECT_EQ(terminal.text(), "") << "nothing is shown any more";
}

TEST(Progress, RedrawsTenTimesASecondAtMost) {
  Terminal terminal(80);
  double now = 0;
  Progress progress({.out = terminal.file(), .clock = [&] { return now; }});
  progress.begin({.total = 1000});
  int redraws = 0;
  for (int i = 0; i < 1000; ++i) {
    now = i / 1000.0;
    progress.update(i);
    redraws += !terminal.text().empty();
  }
  EXPECT_GE(redraws, 9);
  EXPECT_LE(redraws, 10);
}

TEST(Progress, NeverWraps) {
  Terminal terminal(80);
  double now = 0;
  Progress progress({.out = terminal.file(), .clock = [&] { return now; }});
  progress.begin({.label = "\u6f22\u5b57\nlabel", .total = 10, .unit = "img"});
  for (const int columns : {200, 80, 61, 60, 59, 40, 39, 20, 5, 2, 1}) {
    terminal.resize(static_cast<unsigned short>(columns));
    now += 1;
    progress.update(now, "a name\r\n with \033[31m \u6f22\u5b57 in it");
    std::string text = terminal.text();
    ASSERT_TRUE(text.starts_with(redraw));
    text.erase(0, redraw.size());
    EXPECT_LT(columns_of(text), columns) << text;
    EXPECT_EQ(text.find_first_of("\r\n\033"), std::string::npos) << text;
  }
}

TEST(Progress, IsPlainLinesNowAndThenWhereThereIsNoTerminal) {
  Paper paper;
  double now = 0;
  Progress progress({.out = paper.file(), .line_seconds = 10, .clock = [&] { return now; }});
  progress.begin({.label = "epoch 1/2", .total = 3200, .unit = "img"});
  for (int i = 1; i <= 100; ++i) {
    now = i * 0.25;
    progress.update(32 * i, "loss 0.5");
  }
  progress.print("epoch 1/2: loss 0.5");
  EXPECT_EQ(paper.text(),
            "epoch 1/2   40%  128 img/s  15s left  loss 0.5\n"
            "epoch 1/2   80%  128 img/s  5s left  loss 0.5\n"
            "epoch 1/2: loss 0.5\n");
}

TEST(Progress, WritesNoLinesOfItsOwnWhereNoneAreWanted) {
  Paper paper;
  double now = 0;
  {
    Progress progress({.out = paper.file(), .line_seconds = 0, .clock = [&] { return now; }});
    progress.begin({.total = 10});
    for (; now < 1000; now += 100) progress.update(now / 100);
  }
  EXPECT_EQ(paper.text(), "");
}

TEST(Progress, ADumbTerminalGetsPlainLines) {
  Terminal terminal(80);
  setenv("TERM", "dumb", 1);
  double now = 0;
  Progress progress({.out = terminal.file(), .line_seconds = 10, .clock = [&] { return now; }});
  progress.begin({.total = 4});
  now = 10;
  progress.update(1);
  EXPECT_EQ(terminal.text(), " 25%  30s left\r\n");
}

TEST(Progress, SpeedIsThatOfTheLastWhile) {
  Paper paper;
  double now = 0;
  Progress progress({.out = paper.file(), .line_seconds = 100, .clock = [&] { return now; }});
  // 900 pieces were done by an earlier run: they took no time.
  progress.begin({.total = 2000, .unit = "img", .done = 900});
  double done = 900;
  for (; now < 500; now += 1) progress.update(done += now < 350 ? 1 : 3);
  const std::string text = paper.text();
  EXPECT_NE(text.find(" 50%  1.00 img/s  16m39s left\n"), std::string::npos) << text;
  EXPECT_NE(text.find("2.8"), std::string::npos) << "20 s of smoothing, 50 s later\n" << text;
}

}  // namespace
}  // namespace mien::train
