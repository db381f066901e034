// A depthwise convolution, whose channels each have a kernel of their own, and its gradients.
//
// Kernels are (height, width, 1, channels), so that a Shape has as many filters as channels.

#pragma once

#include <vector>

#include "floats.h"
#include "pool.h"
#include "shape.h"

namespace {
namespace depthwise {

using floats::Array;
using pool::Floats;

// Windows in an image, and where their sums go: `high` rows of `wide` windows; floats from one window
// to the one below and to the next, from one line of a window to the next, and from one sum to the one
// below and to the next.
struct Windows {
  int64_t channels, kh, kw, high, wide, below, next, line, sum_below, sum_next;

  explicit Windows(const Shape& s)
      : channels(s.channels), kh(s.kh), kw(s.kw), high(s.oh), wide(s.ow), below(s.sh * s.line()),
        next(s.sw * s.channels), line(s.line()), sum_below(s.ow * s.channels), sum_next(s.channels) {}

  // Of the gradients of pixels that lie alike to the windows of `s`, in lines of `width` windows.
  Windows(const Shape& s, const Phase& down, const Phase& across, int64_t width)
      : channels(s.channels), kh(down.taps), kw(across.taps), high(down.pixels), wide(across.pixels),
        below(width * s.channels), next(s.channels), line(width * s.channels),
        sum_below(s.sh * s.columns() * s.channels), sum_next(s.sw * s.channels) {}

  // Call `visit` for the windows of one row.
  template <typename Visit>
  void each(const float* image, float* out, Visit&& visit) const {
    for (int64_t x = 0; x < wide; ++x) visit(image + x * next, out + x * sum_next);
  }
};

// The sums of a row of windows, each offset times its weight: `count` channels from `image` on.
template <int Height, int Width, typename Count>
void convolve_block(const Windows& w, const float* image, const float* kernel, float* out,
                    Count count) {
  Floats weights[Height * Width];
  for (int k = 0; k < Height * Width; ++k) pool::load(weights[k], kernel + k * w.channels, count);
  w.each(image, out, [&](const float* window, float* to) {
    Floats sum = {}, value;
    for (int i = 0; i < Height; ++i)
      for (int j = 0; j < Width; ++j) {
        pool::load(value, window + i * w.line + j * w.channels, count);
        sum += value * weights[i * Width + j];
      }
    pool::store(sum, to, count);
  });
}

// The same for windows of any size, with weights in memory.
template <typename Count>
void convolve_any(const Windows& w, const float* image, const float* kernel, float* out, Count count) {
  w.each(image, out, [&](const float* window, float* to) {
    Floats sum = {}, value, weight;
    for (int64_t i = 0; i < w.kh; ++i)
      for (int64_t j = 0; j < w.kw; ++j) {
        pool::load(value, window + i * w.line + j * w.channels, count);
        pool::load(weight, kernel + (i * w.kw + j) * w.channels, count);
        sum += value * weight;
      }
    pool::store(sum, to, count);
  });
}

constexpr int kSmall = 3;  // sides of windows whose weights are in registers
constexpr int kLarge = 5;  // of windows that have code of their own, too

// Row by row, so that the lines of its windows are in the nearest cache for all channels.
void convolve(const Windows& w, const float* image, const float* kernel, float* out) {
  const bool small = std::min(w.kh, w.kw) >= 1 && std::max(w.kh, w.kw) <= kSmall;
  for (int64_t y = 0; y < w.high; ++y, image += w.below, out += w.sum_below)
    pool::each_block(w.channels, [&](int64_t c, auto count) {
      if (w.kh == kLarge && w.kw == kLarge)
        return convolve_block<kLarge, kLarge>(w, image + c, kernel + c, out + c, count);
      if (!small) return convolve_any(w, image + c, kernel + c, out + c, count);
      floats::constant<kSmall>(w.kh, [&](auto height) {
        floats::constant<kSmall>(w.kw, [&](auto width) {
          convolve_block<height, width>(w, image + c, kernel + c, out + c, count);
        });
      });
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
    convolve(Windows(s), margin.around(images + b * s.stored()), kernel,
             out + b * s.pixels() * s.channels);
}

// Add, for every offset in the window, an image's pixels there times the gradient: `count` channels of
// a row of windows.
template <int Height, int Width, typename Count>
void add_block(const Shape& s, const float* image, const float* gradient, float* total, Count count) {
  Floats sums[Height * Width];
  for (int k = 0; k < Height * Width; ++k) pool::load(sums[k], total + k * s.channels, count);
  for (int64_t x = 0; x < s.ow; ++x, image += s.sw * s.channels, gradient += s.channels) {
    Floats factor, value;
    pool::load(factor, gradient, count);
    for (int i = 0; i < Height; ++i)
      for (int j = 0; j < Width; ++j) {
        pool::load(value, image + i * s.line() + j * s.channels, count);
        sums[i * Width + j] += value * factor;
      }
  }
  for (int k = 0; k < Height * Width; ++k) pool::store(sums[k], total + k * s.channels, count);
}

// The same for a window of any size, offset by offset.
template <typename Count>
void add_any(const Shape& s, const float* image, const float* gradient, float* total, Count count) {
  for (int64_t i = 0; i < s.kh; ++i)
    for (int64_t j = 0; j < s.kw; ++j, total += s.channels) {
      const float* from = image + i * s.line() + j * s.channels;
      Floats sum, factor, value;
      pool::load(sum, total, count);
      for (int64_t x = 0; x < s.ow; ++x) {
        pool::load(value, from + x * s.sw * s.channels, count);
        pool::load(factor, gradient + x * s.channels, count);
        sum += value * factor;
      }
      pool::store(sum, total, count);
    }
}

void add(const Shape& s, const float* image, const float* gradient, float* total) {
  for (int64_t y = 0; y < s.oh; ++y, image += s.sh * s.line(), gradient += s.ow * s.channels)
    pool::each_block(s.channels, [&](int64_t c, auto count) {
      if (s.kh == kSmall && s.kw == kSmall)
        return add_block<kSmall, kSmall>(s, image + c, gradient + c, total + c, count);
      if (s.kw > kLarge) return add_any(s, image + c, gradient + c, total + c, count);
      floats::constant<kLarge>(s.kw, [&](auto width) {
        for (int64_t i = 0; i < s.kh; ++i)
          add_block<1, width>(s, image + i * s.line() + c, gradient + c,
                              total + i * s.kw * s.channels + c, count);
      });
    });
}

// The gradient of pixels that lie alike to the windows is a convolution, too: of the gradient of the
// output, in a margin of zeros, with the flipped kernel at the offsets where they are met.
class Back {
 public:
  Back(const Shape& s, const float* kernel)
      : s_(s), top_(Phase::margin(s.kh, s.sh)), left_(Phase::margin(s.kw, s.sw)),
        width_(Phase::windows(s.columns(), s.kw, s.sw, s.left, s.ow)),
        held_(Phase::windows(s.rows(), s.kh, s.sh, s.top, s.oh) * width_ * s.channels, 0.0f) {
    each_phase(s, [&](const Phase& down, const Phase& across) { add(kernel, down, across); });
  }

  void image(const float* gradient, float* out) {
    for (int64_t y = 0; y < s_.oh; ++y)
      std::copy_n(gradient + y * s_.ow * s_.channels, s_.ow * s_.channels,
                  held_.data() + ((y + top_) * width_ + left_) * s_.channels);
    for (const Alike& each : all_)
      convolve(each.windows, held_.data() + each.from, each.flipped.data(), out + each.to);
  }

 private:
  struct Alike {
    Windows windows;
    Array flipped;
    int64_t from, to;
  };

  void add(const float* kernel, const Phase& down, const Phase& across) {
    Array flipped;
    each_offset_flipped(s_, down, across, [&](int64_t offset) {
      const float* from = kernel + offset * s_.channels;
      flipped.insert(flipped.end(), from, from + s_.channels);
    });
    all_.push_back({Windows(s_, down, across, width_), flipped,
                    (down.from * width_ + across.from) * s_.channels,
                    (down.first * s_.columns() + across.first) * s_.channels});
  }

  const Shape& s_;
  int64_t top_, left_, width_;
  Array held_;
  std::vector<Alike> all_;
};

void gradients(const Shape& s, const float* images, const float* kernel, const float* gradient,
               float* of_images, float* of_kernel) {
  Margin margin(s);
  Back back(s, kernel);
  const int64_t size = s.kh * s.kw * s.channels;
  std::fill_n(of_kernel, size, 0.0f);
  Array sums(size);  // of one image: long sums lose digits
  for (int64_t b = 0; b < s.batch; ++b) {
    const float* above = gradient + b * s.pixels() * s.channels;
    back.image(above, of_images + b * s.stored());
    std::fill(sums.begin(), sums.end(), 0.0f);
    add(s, margin.around(images + b * s.stored()), above, sums.data());
    for (int64_t k = 0; k < size; ++k) of_kernel[k] += sums[k];
  }
}

}  // namespace depthwise
}  // namespace
