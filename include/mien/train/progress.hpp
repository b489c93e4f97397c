#pragma once
// Progress: how far long work is, how fast it goes and how long the rest will take. On a terminal
// one line that is drawn again and again,
//
//   epoch 3/10 [=========>          ]  45%  812 img/s  3m20s left  loss 1.234
//
// elsewhere (a file, a pipe, TERM=dumb) now and then a plain line.

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <mien/train/text.hpp>

namespace mien::train {

// Seconds since some moment; never runs back.
inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The width of the terminal behind `file`; 0 where there is none that can redraw a line.
inline int terminal_columns(std::FILE* file) {
  const char* kind = std::getenv("TERM");
  if (isatty(fileno(file)) != 1 || kind == nullptr || std::string_view(kind) == "dumb") return 0;
  winsize size{};
  const bool known = ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

struct ProgressOptions {
  std::FILE* out = stderr;
  double redraw_seconds = 0.1;
  double line_seconds = 30;       // between plain lines; 0: none
  double smoothing_seconds = 20;  // the speed shown is that of about this long
  std::function<double()> clock = steady_seconds;
};

// What is measured: `total` pieces, named by `unit` where their speed is worth showing.
struct Work {
  std::string label = {};
  double total = 0;
  std::string unit = {};
  double done = 0;  // already, before the clock starts
};

class Progress {
 public:
  explicit Progress(ProgressOptions options = {})
      : options_(std::move(options)), drawable_(terminal_columns(options_.out) > 0) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  void begin(Work work) {
    clear();
    work_ = std::move(work);
    work_.label = one_line(work_.label);
    recent_done_ = recent_seconds_ = 0;
    updated_ = lined_ = options_.clock();
    drawn_ = -HUGE_VAL;
  }

  // `done` pieces of the work; `note` ends the line. Cheap: most calls draw nothing.
  void update(double done, std::string_view note = {}) {
    const double now = options_.clock();
    const double fade = std::exp((updated_ - now) / options_.smoothing_seconds);
    recent_done_ = recent_done_ * fade + (done - work_.done);
    recent_seconds_ = recent_seconds_ * fade + (now - updated_);
    work_.done = done;
    updated_ = now;
    if (drawable_ && now - drawn_ >= options_.redraw_seconds) {
      draw(note);
      drawn_ = now;
    }
    if (!drawable_ && options_.line_seconds > 0 && now - lined_ >= options_.line_seconds) {
      print(work_.label + (work_.label.empty() ? "" : "  ") + numbers(note));
      lined_ = now;
    }
  }

  // An ordinary line, which stays.
  void print(std::string_view line) {
    clear();
    std::fprintf(options_.out, "%.*s\n", static_cast<int>(line.size()), line.data());
    std::fflush(options_.out);
  }

  // Makes room for others to write.
  void clear() {
    if (!shown_) return;
    std::fputs("\r\033[K", options_.out);
    std::fflush(options_.out);
    shown_ = false;
  }

 private:
  // "45%  812 img/s  3m20s left  loss 1.234"
  std::string numbers(std::string_view note) const {
    const double share = work_.total > 0 ? std::clamp(work_.done / work_.total, 0.0, 1.0) : 0;
    const std::string percent = fixed(std::floor(100 * share), 0);
    std::string text = std::string(3 - percent.size(), ' ') + percent + '%';
    if (recent_done_ > 0 && recent_seconds_ > 0) {
      const double speed = recent_done_ / recent_seconds_;
      if (!work_.unit.empty())
        text += "  " + fixed(speed, speed < 10 ? 2 : speed < 100 ? 1 : 0) + ' ' + work_.unit + "/s";
      text += "  " + duration(std::max(work_.total - work_.done, 0.0) / speed) + " left";
    }
    if (!note.empty()) text += "  " + one_line(note);  // a file's name may hold anything
    return text;
  }

  void draw(std::string_view note) {
    // A character in the last column would make some terminals begin a new line.
    const int columns = terminal_columns(options_.out) - 1;
    const std::string label = work_.label + (work_.label.empty() ? "" : " ");
    const std::string text = numbers(note);
    const int bar = std::min(columns - columns_of(label) - columns_of(text) - 3, 30);
    const std::string line = bar < 8 ? label + text : label + bar_of(bar) + ' ' + text;
    std::fprintf(options_.out, "\r\033[K%s", clipped(line, columns).c_str());
    std::fflush(options_.out);
    shown_ = true;
  }

  // "[=====>    ]", `width` between the brackets.
  std::string bar_of(int width) const {
    const double share = work_.total > 0 ? std::clamp(work_.done / work_.total, 0.0, 1.0) : 0;
    const auto size = static_cast<std::size_t>(width);
    const auto filled = static_cast<std::size_t>(share * width);
    std::string bar = std::string(filled, '=') + (filled < size ? ">" : "");
    bar.resize(size, ' ');
    return '[' + bar + ']';
  }

  ProgressOptions options_;
  bool drawable_;
  bool shown_ = false;
  Work work_;
  double recent_done_ = 0, recent_seconds_ = 0;  // sums that fade with time
  double updated_ = 0, drawn_ = 0, lined_ = 0;   // moments of the clock
};

}  // namespace mien::train
