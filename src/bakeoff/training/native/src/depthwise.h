// A depthwise convolution, whose channels each have a kernel of their own, and its gradients.
//
// Kernels are (height, width, 1, channels), so that a Shape has as many filters as channels.

#pragma once

#include "floats.h"
#include "pool.h"
#include "shape.h"

namespace {
namespace depthwise {

using floats::Array;
using pool::Floats;

// The sums of one image's windows, each offset times its weight: `count` channels from `image` on.
template <int Height, int Width, typename Count>
void convolve_block(const Shape& s, const float* image, const float* kernel, float* out, Count count) {
  Floats weights[Height * Width];
  for (int k = 0; k < Height * Width; ++k) pool::load(weights[k], kernel + k * s.channels, count);
  for (int64_t y = 0; y < s.oh; ++y)
    for (int64_t x = 0; x < s.ow; ++x, out += s.channels) {
      const float* window = image + y * s.sh * s.line() + x * s.sw * s.channels;
      Floats sum = {}, value;
      for (int i = 0; i < Height; ++i)
        for (int j = 0; j < Width; ++j) {
          pool::load(value, window + i * s.line() + j * s.channels, count);
          sum += value * weights[i * Width + j];
        }
      pool::store(sum, out, count);
    }
}

// The same for a window of any size, with weights in memory.
template <typename Count>
void convolve_any(const Shape& s, const float* image, const float* kernel, float* out, Count count) {
  for (int64_t y = 0; y < s.oh; ++y)
    for (int64_t x = 0; x < s.ow; ++x, out += s.channels) {
      const float* window = image + y * s.sh * s.line() + x * s.sw * s.channels;
      Floats sum = {}, value, weight;
      for (int64_t i = 0; i < s.kh; ++i)
        for (int64_t j = 0; j < s.kw; ++j) {
          pool::load(value, window + i * s.line() + j * s.channels, count);
          pool::load(weight, kernel + (i * s.kw + j) * s.channels, count);
          sum += value * weight;
        }
      pool::store(sum, out, count);
    }
}

// One image, in its margin.
void convolve(const Shape& s, const float* image, const float* kernel, float* out) {
  pool::each_block(s.channels, [&](int64_t c, auto count) {
    if (s.kh == 3 && s.kw == 3)
      convolve_block<3, 3>(s, image + c, kernel + c, out + c, count);
    else
      convolve_any(s, image + c, kernel + c, out + c, count);
  });
}

// Images one after the other in their margins, if they have any.
class Margin {
 public:
  explicit Margin(const Shape& s) : s_(s), held_(s.has_margin() ? s.image() : 0, 0.0f) {}

  const float* around(const float* image) {
    if (!s_.has_margin()) return image;
    floats::with_margin(s_, image, held_.data());
    return held_.data();
  }

 private:
  const Shape& s_;
  Array held_;
};

void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  Margin margin(s);
  for (int64_t b = 0; b < s.batch; ++b)
    convolve(s, margin.around(images + b * s.stored()), kernel, out + b * s.pixels() * s.channels);
}

template <typename Count>
void add_to(const Floats& sum, float* total, Count count) {
  Floats before;
  pool::load(before, total, count);
  pool::store(before + sum, total, count);
}

// Add, for every offset in the window, an image's pixels there times the gradient: `count` channels.
template <int Height, int Width, typename Count>
void add_block(const Shape& s, const float* image, const float* gradient, float* total, Count count) {
  Floats sums[Height * Width] = {};  // in registers
  for (int64_t y = 0; y < s.oh; ++y)
    for (int64_t x = 0; x < s.ow; ++x, gradient += s.channels) {
      const float* window = image + y * s.sh * s.line() + x * s.sw * s.channels;
      Floats factor, value;
      pool::load(factor, gradient, count);
      for (int i = 0; i < Height; ++i)
        for (int j = 0; j < Width; ++j) {
          pool::load(value, window + i * s.line() + j * s.channels, count);
          sums[i * Width + j] += value * factor;
        }
    }
  for (int k = 0; k < Height * Width; ++k) add_to(sums[k], total + k * s.channels, count);
}

// The same for a window of any size, offset by offset.
template <typename Count>
void add_any(const Shape& s, const float* image, const float* gradient, float* total, Count count) {
  for (int64_t i = 0; i < s.kh; ++i)
    for (int64_t j = 0; j < s.kw; ++j) {
      const float* from = image + i * s.line() + j * s.channels;
      Floats sum = {}, factor, value;
      for (int64_t y = 0; y < s.oh; ++y)
        for (int64_t x = 0; x < s.ow; ++x) {
          pool::load(value, from + y * s.sh * s.line() + x * s.sw * s.channels, count);
          pool::load(factor, gradient + (y * s.ow + x) * s.channels, count);
          sum += value * factor;
        }
      add_to(sum, total + (i * s.kw + j) * s.channels, count);
    }
}

void add(const Shape& s, const float* image, const float* gradient, float* total) {
  pool::each_block(s.channels, [&](int64_t c, auto count) {
    if (s.kh == 3 && s.kw == 3)
      add_block<3, 3>(s, image + c, gradient + c, total + c, count);
    else
      add_any(s, image + c, gradient + c, total + c, count);
  });
}

// The gradient of the images is a convolution, too, with the kernel flipped along both sides: of the
// gradient of the output in a margin of zeros, with zeros between its pixels where strides are more
// than 1.
struct Back {
  Shape shape;
  int64_t sh, sw, top, left;  // where an output pixel lies in `spread`
  Array spread, flipped;

  Back(const Shape& s, const float* kernel)
      : shape(1, s.rows() + s.kh - 1, s.columns() + s.kw - 1, s.channels, s.kh, s.kw, s.channels,
              s.rows(), s.columns()),
        sh(s.sh), sw(s.sw), top(s.kh - 1 - s.top), left(s.kw - 1 - s.left),
        spread(shape.image(), 0.0f), flipped(s.kh * s.kw * s.channels) {
    const int64_t offsets = s.kh * s.kw;
    for (int64_t k = 0; k < offsets; ++k)
      std::copy_n(kernel + k * s.channels, s.channels,
                  flipped.data() + (offsets - 1 - k) * s.channels);
  }

  void image(const Shape& s, const float* gradient, float* out) {
    for (int64_t y = 0; y < s.oh; ++y)
      for (int64_t x = 0; x < s.ow; ++x, gradient += s.channels) {
        const int64_t row = y * sh + top, column = x * sw + left;
        if (row >= 0 && row < shape.height && column >= 0 && column < shape.width)
          std::copy_n(gradient, s.channels, spread.data() + row * shape.line() + column * s.channels);
      }
    convolve(shape, spread.data(), flipped.data(), out);
  }
};

void gradients(const Shape& s, const float* images, const float* kernel, const float* gradient,
               float* of_images, float* of_kernel) {
  Margin margin(s);
  Back back(s, kernel);
  std::fill_n(of_kernel, s.kh * s.kw * s.channels, 0.0f);
  for (int64_t b = 0; b < s.batch; ++b) {
    const float* above = gradient + b * s.pixels() * s.channels;
    back.image(s, above, of_images + b * s.stored());
    add(s, margin.around(images + b * s.stored()), above, of_kernel);
  }
}

}  // namespace depthwise
}  // namespace
