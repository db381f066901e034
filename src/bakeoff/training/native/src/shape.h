// The shapes of a convolution and of its gradients.

#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "xla/ffi/api/ffi.h"

#if defined(__AMX_BF16__) || defined(__AMXBF16__)  // clang has called it so
#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__linux__)
#define BAKEOFF_TILES
#endif
#endif

namespace {

namespace ffi = xla::ffi;
using Images = ffi::Buffer<ffi::F32>;
using Result = ffi::ResultBuffer<ffi::F32>;
using Strides = ffi::Span<const int64_t>;
using Offsets = std::vector<int64_t>;

// `height` and `width` are those of padded images; in memory the images are without their margins.
struct Shape {
  int64_t batch, height, width, channels, kh, kw, filters, oh, ow, sh, sw;
  int64_t top = 0, bottom = 0, left = 0, right = 0;

  // pads : top, bottom, left, right
  Shape(Images::Dimensions images, Images::Dimensions kernel, Images::Dimensions gradient, Strides by,
        Strides pads)
      : batch(images[0]), height(images[1] + pads[0] + pads[1]),
        width(images[2] + pads[2] + pads[3]), channels(images[3]), kh(kernel[0]), kw(kernel[1]),
        filters(kernel[3]), oh(gradient[1]), ow(gradient[2]), sh(by[0]), sw(by[1]), top(pads[0]),
        bottom(pads[1]), left(pads[2]), right(pads[3]) {}

  // Strides of 1.
  Shape(int64_t batch, int64_t height, int64_t width, int64_t channels, int64_t kh, int64_t kw,
        int64_t filters, int64_t oh, int64_t ow)
      : batch(batch), height(height), width(width), channels(channels), kh(kh), kw(kw),
        filters(filters), oh(oh), ow(ow), sh(1), sw(1) {}

  int64_t pixels() const { return oh * ow; }
  int64_t line() const { return width * channels; }
  int64_t image() const { return height * line(); }

  // Rows, columns, pixels and floats of an image in memory.
  int64_t rows() const { return height - top - bottom; }
  int64_t columns() const { return width - left - right; }
  int64_t stored_pixels() const { return rows() * columns(); }
  int64_t stored() const { return stored_pixels() * channels; }
  bool has_margin() const { return top || bottom || left || right; }

  // Whether every pixel lies in one window.
  bool apart() const {
    return kh == sh && kw == sw && oh * sh == height && ow * sw == width;
  }

  // Index in memory of a pixel of a padded image; −1 in the margin.
  int64_t in_memory(int64_t pixel) const {
    const int64_t y = pixel / width - top, x = pixel % width - left;
    return y >= 0 && y < rows() && x >= 0 && x < columns() ? y * columns() + x : -1;
  }

  // Index in an image of the first value of each output pixel's window.
  Offsets windows() const {
    Offsets found;
    for (int64_t y = 0; y < oh; ++y)
      for (int64_t x = 0; x < ow; ++x) found.push_back(y * sh * line() + x * sw * channels);
    return found;
  }

  // Index in an image's output of each output pixel.
  Offsets outputs() const {
    Offsets found;
    for (int64_t p = 0; p < pixels(); ++p) found.push_back(p * filters);
    return found;
  }
};

// A convolution: images, kernel, output. Its gradients: gradient, kernel, images; images, gradient, kernel.
using Kernel = void (*)(const Shape&, const float*, const float*, float*);

// The pixels along one side of an image that lie alike to the windows: every `stride`-th one, from
// `first` on. Each of them takes part in `taps` windows, one after the other, at every `stride`-th
// offset in the window, from `offset` on.
struct Phase {
  int64_t first, pixels, offset, taps, from;

  // from : where the first window that a pixel takes part in lies, of its windows in a margin
  // pixels are `size`, of which `before` in the margin do not count; windows are as wide as `window`
  Phase(int64_t first, int64_t size, int64_t window, int64_t stride, int64_t before)
      : first(first), pixels((size - first + stride - 1) / stride), offset((first + before) % stride),
        taps(offset < window ? (window - offset + stride - 1) / stride : 0),
        from(margin(window, stride) + (first + before - offset) / stride - (taps - 1)) {}

  // Windows in the margin before the first one, and all that a side of pixels takes part in.
  static int64_t margin(int64_t window, int64_t stride) { return (window - 1) / stride; }
  static int64_t windows(int64_t size, int64_t window, int64_t stride, int64_t before, int64_t there) {
    return margin(window, stride) + std::max(there, (size - 1 + before) / stride + 1);
  }
};

// Call `visit` with all phases of an image, down and across.
template <typename Visit>
void each_phase(const Shape& s, Visit&& visit) {
  for (int64_t y = 0; y < std::min(s.sh, s.rows()); ++y)
    for (int64_t x = 0; x < std::min(s.sw, s.columns()); ++x)
      visit(Phase(y, s.rows(), s.kh, s.sh, s.top), Phase(x, s.columns(), s.kw, s.sw, s.left));
}

// Call `visit` with the offsets in the kernel at which a phase's pixels are met, the last one first.
template <typename Visit>
void each_offset_flipped(const Shape& s, const Phase& down, const Phase& across, Visit&& visit) {
  for (int64_t i = down.taps - 1; i >= 0; --i)
    for (int64_t j = across.taps - 1; j >= 0; --j)
      visit((down.offset + i * s.sh) * s.kw + across.offset + j * s.sw);
}

}  // namespace
