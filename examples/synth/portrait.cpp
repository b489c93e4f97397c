#include "portrait.hpp"

#include <span>

#include "hair.hpp"
#include "scene.hpp"
#include "sensor.hpp"
#include "skin.hpp"
#include "view.hpp"

namespace mien::synth {
namespace {

// One portrait while it is painted.
class Painter {
 public:
  Painter(const Portrait& portrait, int side)
      : portrait_(portrait),
        geometry_(portrait.person, portrait.expression),
        head_(portrait.person, geometry_),
        view_(portrait.shot, side),
        hair_(portrait.person, head_) {
    const Shot& shot = portrait.shot;
    const Vec3 lamp = normalized(shot.lamp);
    light_ = {view_.to_head(lamp), view_.to_head({0, -1, 0}), shot.lamp_color, shot.sky,
              shot.ground};
    gaze_ = {shot.gaze_x, shot.gaze_y, lamp.x, lamp.y};
  }

  // A row of pixels. A ray starts a little in front of where the last one ended: noses rise by less
  // from pixel to pixel.
  void paint_row(int y, std::span<Color> row) const {
    float start = Head::anywhere;
    for (std::size_t x = 0; x < row.size(); ++x)
      row[x] = at(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f, start);
  }

 private:
  Color at(float x, float y, float& start) const {
    const Point place = view_.at_pixel(x, y);
    const Ray ray = view_.ray(place);
    const float pixel = view_.pixel();
    const Layer front = hair_.in_front(ray, light_, pixel);
    std::optional<Hit> hit;
    if (front.share < 1) hit = head_.hit(ray, pixel, start);
    start = hit && hit->coverage == 1 ? hit->t + 0.06f + 4 * pixel : Head::anywhere;
    Color color{};
    if (front.share < 1 && !(hit && hit->coverage == 1)) color = behind_head(place, ray);
    if (hit) lay(color, {skin_at(*hit, ray), hit->coverage});
    lay(color, front);
    if (portrait_.person.glasses) paint_glasses(color, ray, portrait_, geometry_, pixel);
    return color;
  }

  Color behind_head(Point place, const Ray& ray) const {
    Color color = paint_background(place, portrait_.shot);
    lay(color, hair_.behind(ray, light_, view_.pixel()));
    paint_body(color, place, portrait_, view_.pixel());
    return color;
  }

  Color skin_at(const Hit& hit, const Ray& ray) const {
    const Vec3 p = hit.point;
    const float pixel = view_.pixel();
    Surface surface;
    surface.albedo = portrait_.person.skin;
    if (p.z > 0) {
      paint_skin(surface, p, portrait_.person, geometry_);
      paint_mouth(surface, p, portrait_.person, geometry_, pixel);
      paint_brows(surface, p, portrait_.person, geometry_, pixel);
      paint_eyes(surface, p, portrait_.person, geometry_, gaze_, pixel);
    }
    Vec3 normal = head_.normal(p);
    const float occlusion = clamp01(head_.distance(p + 0.1f * normal) / 0.1f);
    normal = normalized(normal - Vec3{surface.slope_x, surface.slope_y, 0});
    return lit(surface, normal, ray.direction, 0.45f + 0.55f * occlusion, hair_.shadow(p));
  }

  // Wrapped diffuse light, reddest where it turns to shade (light that went through skin), and a
  // Blinn highlight.
  Color lit(const Surface& s, Vec3 normal, Vec3 viewer, float occlusion, float hair) const {
    const float facing = dot(normal, light_.lamp);
    const auto wrapped = [&](float wrap) {
      wrap *= s.softness;
      return std::max((facing + wrap) / (1 + wrap), 0.0f);
    };
    const Color diffuse{wrapped(0.4f), wrapped(0.22f), wrapped(0.16f)};
    const Vec3 half = normalized(light_.lamp + viewer);
    float shine = square(square(std::max(dot(normal, half), 0.0f)));
    shine = square(square(shine));
    const float rim = square(1 - std::max(dot(normal, viewer), 0.0f));
    const Color matt =
        s.albedo * (occlusion * (diffuse * light_.lamp_color + light_.around(normal)));
    const float gloss = s.gloss * (0.07f * shine + 0.02f * rim) * occlusion;
    return (s.open * (1 - hair)) * (matt + gloss * light_.lamp_color) + s.glint * light_.lamp_color;
  }

  const Portrait& portrait_;
  Geometry geometry_;
  Head head_;
  View view_;
  Hair hair_;
  Light light_;
  Gaze gaze_;
};

}  // namespace

Shot draw_shot(const ShotRange& range, Generator& random) {
  const auto around = [&](float spread) {
    return spread * std::clamp(0.5f * bell(random), -1.0f, 1.0f);
  };
  Shot shot;
  shot.yaw = around(range.yaw), shot.pitch = around(range.pitch), shot.roll = around(range.roll);
  shot.scale = range.scale * (1 + around(range.scale_spread));
  shot.center_x = 0.5f + around(range.offset) - 0.1f * shot.yaw;
  shot.center_y = 0.5f + around(range.offset);
  shot.gaze_x = around(0.8f), shot.gaze_y = around(0.4f);
  draw_light(shot, random);
  shot.blur = range.blur * square(random.uniform());
  shot.grain = range.grain * square(random.uniform()) + 0.004f;
  shot.jpeg_quality = static_cast<int>(between(random, static_cast<float>(range.worst_quality),
                                               static_cast<float>(range.best_quality)));
  return shot;
}

data::Image paint(const Portrait& portrait, int side, Generator& random) {
  const Painter painter(portrait, side);
  std::vector<Color> colors(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  const auto width = static_cast<std::size_t>(side);
  for (int y = 0; y < side; ++y)
    painter.paint_row(y, std::span(colors).subspan(static_cast<std::size_t>(y) * width, width));
  return develop(colors, side, portrait.shot, random);
}

}  // namespace mien::synth
