// Brightness, contrast, saturation and hue of 8-bit pixels, by Pillow's arithmetic. Every value is
// an integer below 2^24, exact in a float, but for factors and quotients.

namespace mien::kernels::MIEN_ISA {

// pixels[i] = f(pixels[i]).
template <class F>
MIEN_INLINE void change_pixels(std::uint8_t* pixels, std::int64_t count, const F& f) {
  constexpr int lanes = Vec<float>::lanes;
  for (; count >= lanes; count -= lanes, pixels += 3 * lanes)
    store_pixels(pixels, f(load_pixels(pixels)));
  const int rest = static_cast<int>(count);
  if (rest > 0) store_pixels(pixels, f(load_pixels(pixels, rest)), rest);
}

// base + factor (x - base) within [0, 255]. Product and sum are rounded one by one, as Pillow is
// built: the zero added to the product keeps the compiler from fusing it into the sum.
MIEN_INLINE Vec<float> blend(Vec<float> base, Vec<float> x, Vec<float> factor) {
  using V = Vec<float>;
  return min(max(base + fma(factor, x - base, V(0.0f)), V(0.0f)), V(255.0f));
}

inline void blend_with_level(std::uint8_t* samples, std::int64_t count, float level, float factor) {
  using V = Vec<float>;
  for (; count >= V::lanes; count -= V::lanes, samples += V::lanes)
    store_samples(samples, blend(V(level), load_samples(samples), V(factor)));
  const int rest = static_cast<int>(count);
  if (rest > 0)
    store_samples(samples, blend(V(level), load_samples(samples, rest), V(factor)), rest);
}

// floor((19595 red + 38470 green + 7471 blue + 2^15) / 2^16), Pillow's convert("L").
MIEN_INLINE Vec<float> grey(const Rgb& p) {
  using V = Vec<float>;
  const V sum = p.r * V(19595.0f) + p.g * V(38470.0f) + p.b * V(7471.0f) + V(32768.0f);
  return floor(sum * V(0x1p-16f));
}

inline void blend_with_grey(std::uint8_t* pixels, std::int64_t count, float factor) {
  change_pixels(pixels, count, [factor](const Rgb& p) {
    const Vec<float> base = grey(p), by(factor);
    return Rgb{blend(base, p.r, by), blend(base, p.g, by), blend(base, p.b, by)};
  });
}

// Exact for up to 2^16 pixels: sums below 2^24.
inline float sum_of_greys(const std::uint8_t* pixels, std::int64_t count) {
  constexpr int lanes = Vec<float>::lanes;
  Vec<float> sum;
  for (; count >= lanes; count -= lanes, pixels += 3 * lanes) sum = sum + grey(load_pixels(pixels));
  const int rest = static_cast<int>(count);
  if (rest > 0) sum = sum + grey(load_pixels(pixels, rest));
  return reduce_add(sum);
}

struct Hsv {
  Vec<float> h, s, v;
};

// With range = max - min and, in sixths of a turn,
//   x = 0 + (max - blue) / range - (max - green) / range    where red is the largest, else
//   x = 2 + (max - red) / range - (max - blue) / range      where green is, else
//   x = 4 + (max - green) / range - (max - red) / range
// h = floor(255 (x / 6 mod 1)), s = floor(255 range / max), v = max.
MIEN_INLINE Hsv to_hsv(const Rgb& p) {
  using V = Vec<float>;
  const V zero(0.0f), one(1.0f);
  const V most = max(p.r, max(p.g, p.b)), range = most - min(p.r, min(p.g, p.b));
  const auto red = most <= p.r, green = most <= p.g;
  const V sector = select(red, zero, select(green, V(2.0f), V(4.0f)));
  const V added = most - select(red, p.b, select(green, p.r, p.g));
  const V taken = most - select(red, p.g, select(green, p.b, p.r));
  // The smallest of the three makes one of the quotients 1: a single division, and one rounding.
  const auto takes_one = range <= taken;
  const V quotient = select(takes_one, added, taken) / max(range, one);
  const V sixths = select(takes_one, sector - one + quotient, sector + one - quotient);
  const V signed_turn = sixths / V(6.0f);
  const V turn = select(signed_turn < zero, signed_turn + one, signed_turn);
  return {select(zero < range, floor(turn * V(255.0f)), zero),
          floor(range * V(255.0f) / max(most, one)), most};
}

// With h / 42.5 = sector + f and a = s / 255:
//   low = round(v (1 - a))
//   mid = round(v (1 - a f)) in odd sectors, round(v (1 - a (1 - f))) in even ones
// the colours of sectors 0 to 5 are v mid low, mid v low, low v mid, low mid v, mid low v,
// v low mid. As f is a multiple of 1 / 85, the denominators are odd and nothing ends in one half.
MIEN_INLINE Rgb to_rgb(const Hsv& x) {
  using V = Vec<float>;
  const V v = x.v, twice = x.h + x.h;
  const V all_sectors = floor((twice + V(0.5f)) * V(1.0f / 85));
  const V f = twice - all_sectors * V(85.0f);
  const V sector = select(all_sectors < V(6.0f), all_sectors, V(0.0f));
  const V half = floor(sector * V(0.5f));
  const V part = select(half + half < sector, f, V(85.0f) - f);
  const V mid = round(v * (V(21675.0f) - x.s * part) / V(21675.0f));
  const V low = round(v * (V(255.0f) - x.s) * V(1.0f / 255));
  const auto below = [&](float limit) { return sector < V(limit); };
  return {
      select(below(1), v, select(below(2), mid, select(below(4), low, select(below(5), mid, v)))),
      select(below(1), mid, select(below(3), v, select(below(4), mid, low))),
      select(below(2), low, select(below(3), mid, select(below(5), v, mid)))};
}

inline void rgb_to_hsv(std::uint8_t* pixels, std::int64_t count) {
  change_pixels(pixels, count, [](const Rgb& p) {
    const Hsv x = to_hsv(p);
    return Rgb{x.h, x.s, x.v};
  });
}

inline void hsv_to_rgb(std::uint8_t* pixels, std::int64_t count) {
  change_pixels(pixels, count, [](const Rgb& p) { return to_rgb({p.r, p.g, p.b}); });
}

inline void shift_hue(std::uint8_t* pixels, std::int64_t count, std::uint8_t shift) {
  const Vec<float> by(static_cast<float>(shift)), turn(256.0f);
  change_pixels(pixels, count, [=](const Rgb& p) {
    Hsv x = to_hsv(p);
    x.h = x.h + by;
    x.h = select(x.h < turn, x.h, x.h - turn);
    return to_rgb(x);
  });
}

}  // namespace mien::kernels::MIEN_ISA
