#pragma once
// What is around a head: background, neck and shoulders, glasses, and the light.

#include "head.hpp"
#include "portrait.hpp"

namespace mien::synth {

void draw_light(Shot& shot, Generator& random);

// At this place of the picture, in units of head space.
Color paint_background(Point at, const Shot& shot);
// Neck and shoulders, over what is behind them.
void paint_body(Color& color, Point at, const Portrait& portrait, float pixel);

void paint_glasses(Color& color, const Ray& ray, const Portrait& portrait, const Geometry& g,
                   float pixel);

}  // namespace mien::synth
