#pragma once
// Svg: a drawing in Scalable Vector Graphics 1.1, put together piece by piece. Coordinates are
// pixels, y downwards. Text is escaped; it may be anything.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mien/core/error.hpp>
#include <mien/io/atomic_file.hpp>
#include <mien/io/base64.hpp>
#include <mien/io/byte_reader.hpp>
#include <mien/io/json_reader.hpp>
#include <mien/train/text.hpp>

namespace mien::train {

struct Point {
  double x = 0, y = 0;
};

// "&" as "&amp;" and so on. XML has no control characters; text that is not UTF-8 keeps its ASCII.
inline std::string xml_escaped(std::string_view text) {
  const bool utf8 = io::is_utf8(text);
  std::string escaped;
  for (const char symbol : text) {
    const auto byte = static_cast<unsigned char>(symbol);
    if (symbol == '&')
      escaped += "&amp;";
    else if (symbol == '<')
      escaped += "&lt;";
    else if (symbol == '>')
      escaped += "&gt;";
    else if (symbol == '"')
      escaped += "&quot;";
    else
      escaped += byte < 0x20 || (byte >= 0x80 && !utf8) ? '?' : symbol;
  }
  return escaped;
}

// About the width of `text`, in pixels: fonts differ, this is a wide one's.
inline double text_width(std::string_view text, double size) {
  return 0.6 * size * columns_of(text);
}

struct SvgStroke {
  std::string_view colour = "#000";
  double width = 1;
  std::string_view dashes = {};  // "5 3"
  double opacity = 1;
};

struct SvgText {
  double size = 12;
  std::string_view anchor = "start";  // what lies at the point: "start", "middle" or "end"
  std::string_view colour = "#333";
  bool bold = false;
  double rotation = 0;  // degrees clockwise about the point
};

class Svg {
 public:
  void rectangle(Point corner, double width, double height, std::string_view fill) {
    body_ += str("<rect x=\"", at(corner.x), "\" y=\"", at(corner.y), "\" width=\"", at(width),
                 "\" height=\"", at(height), "\" fill=\"", fill, "\"/>\n");
  }
  void circle(Point centre, double radius, std::string_view fill) {
    body_ += str("<circle cx=\"", at(centre.x), "\" cy=\"", at(centre.y), "\" r=\"", at(radius),
                 "\" fill=\"", fill, "\"/>\n");
  }
  void line(std::span<const Point> points, const SvgStroke& stroke) {
    body_ += "<polyline points=\"";
    for (const Point& point : points) body_ += at(point.x) + ',' + at(point.y) + ' ';
    body_.back() = '"';
    body_ += str(" fill=\"none\" stroke-linejoin=\"round\" stroke=\"", stroke.colour,
                 "\" stroke-width=\"", at(stroke.width), '"');
    if (!stroke.dashes.empty()) body_ += str(" stroke-dasharray=\"", stroke.dashes, '"');
    if (stroke.opacity < 1) body_ += str(" stroke-opacity=\"", fixed(stroke.opacity, 2), '"');
    body_ += "/>\n";
  }
  void line(Point from, Point to, const SvgStroke& stroke) {
    line(std::vector<Point>{from, to}, stroke);
  }
  void text(Point point, std::string_view text, const SvgText& style = {}) {
    body_ +=
        str("<text x=\"", at(point.x), "\" y=\"", at(point.y), "\" font-size=\"", at(style.size),
            "\" text-anchor=\"", style.anchor, "\" fill=\"", style.colour, '"');
    if (style.bold) body_ += " font-weight=\"bold\"";
    if (style.rotation != 0)
      body_ += str(" transform=\"rotate(", at(style.rotation), ' ', at(point.x), ' ', at(point.y),
                   ")\"");
    body_ += '>' + xml_escaped(text) + "</text>\n";
  }
  // The picture in a JPEG file, as large as fits into the rectangle, in its middle. The drawing
  // holds the file itself. `title` shows where a mouse rests on it.
  void image(Point corner, double width, double height, io::Bytes jpeg, std::string_view title) {
    body_ += str("<image x=\"", at(corner.x), "\" y=\"", at(corner.y), "\" width=\"", at(width),
                 "\" height=\"", at(height), "\" xlink:href=\"data:image/jpeg;base64,",
                 io::base64(jpeg), "\"><title>", xml_escaped(title), "</title></image>\n");
  }

  // The whole file: the pieces so far on white.
  std::string document(double width, double height) const {
    const std::string w = fixed(width, 0), h = fixed(height, 0);
    return str("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", w, "\" height=\"", h,
               "\" viewBox=\"0 0 ", w, ' ', h,
               "\" font-family=\"Helvetica,Arial,'DejaVu Sans',sans-serif\"",
               " xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n",
               "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", body_, "</svg>\n");
  }

 private:
  static std::string at(double value) { return fixed(value, 1); }

  std::string body_;
};

// Writes text as a file, atomically.
inline void save_text(const std::string& path, std::string_view text) {
  io::AtomicFile file(path);
  file.write(io::as_bytes(text));
  file.commit();
}

}  // namespace mien::train
