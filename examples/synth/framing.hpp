#pragma once
// Cutting faces out, and putting them where a data set has them.

#include <mien/data/image.hpp>

#include "portrait.hpp"

namespace mien::synth {

// In pixels.
struct Box {
  int x, y, width, height;
};

// What a face detector would mark: the landmarks and some of the forehead, inside the picture.
Box face_box(const std::array<Point, 68>& points, int side);

data::Image cropped(const data::Image& image, const Box& box);

// Turned about its middle by this angle, clockwise, by linear interpolation; edges are repeated.
data::Image turned(const data::Image& image, float angle);

// The angle of the line between the eyes, clockwise from the horizontal.
float eye_angle(const std::array<Point, 68>& points);

// The shot as after alignment: eyes level and at the places that recognisers of faces expect them
// (Deng et al., "ArcFace", CVPR 2019: 112 x 112, eyes 35 apart at a height of 52).
Shot aligned(const Portrait& portrait);

}  // namespace mien::synth
