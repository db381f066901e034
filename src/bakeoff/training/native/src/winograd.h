// Convolution with a 3×3 kernel and strides of 1, and its gradients, by Winograd's minimal filtering:
// 36 products for 16 pixels, a channel and a filter instead of 144 (filtering.h).
//
// A tile of 6×6 pixels d and the kernel g are transformed, multiplied value by value, summed over the
// channels, and transformed back to 4×4 pixels: Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. For each of the 36 values
// that is a product of matrices, (tiles, channels) times (channels, filters). The gradient of the
// kernel sums over tiles instead, of 6×6 pixels and 4×4 of the gradient.

#pragma once

#include "filtering.h"
#include "floats.h"
#include "pool.h"
#include "shape.h"
#include "winograd_products.h"

namespace {
namespace winograd {

constexpr int64_t kNarrow = 16;           // channels, and filters, from which it pays,
constexpr int64_t kMost = 128 * 1024;     // and their product up to which: 36 such matrices are made
constexpr int64_t kTogether = 96 * 1024;  // floats of transformed tiles that the cache holds

// What is convolved to what; `top` and `left` are the margins of zeros.
struct Geometry {
  int64_t batch, rows, columns, channels, top, left, oh, ow, filters;

  static Geometry forward(const Shape& s) {
    return {s.batch, s.rows(), s.columns(), s.channels, s.top, s.left, s.oh, s.ow, s.filters};
  }
  // The gradient of an image is a convolution of the gradient of the output, with a flipped kernel.
  static Geometry backward(const Shape& s) {
    return {s.batch, s.oh, s.ow, s.filters, 2 - s.top, 2 - s.left, s.rows(), s.columns(), s.channels};
  }

  int64_t high() const { return (oh + kPixels - 1) / kPixels; }
  int64_t wide() const { return (ow + kPixels - 1) / kPixels; }
  int64_t tiles() const { return batch * high() * wide(); }

  // Tiles that are transformed before they are multiplied: as many as the cache holds, but at least 16,
  // since the whole kernel is read for them.
  int64_t together() const {
    const int64_t held = kTogether / (kValues * (channels + filters));
    return std::min(std::max<int64_t>(held, 16), tiles());
  }

  // Call `visit` for tiles from the first one on: which of them it is, its image, and where its
  // output begins there.
  template <typename Visit>
  void each(int64_t first, int64_t count, Visit&& visit) const {
    int64_t x = first % wide(), y = first / wide() % high(), image = first / wide() / high();
    for (int64_t tile = 0; tile < count; ++tile) {
      visit(tile, image, kPixels * y, kPixels * x);
      if (++x == wide()) x = 0, ++y;
      if (y == high()) y = 0, ++image;
    }
  }
};

// Whether it is faster than direct sums: than those by vectors, if it does with two thirds of the
// products, than those by tiles of AMX, if with little more than a third; of an image's gradient these
// leave the margins out. The batch has no say, since an image's values may not depend on those beside
// it. Tiles that stick out of an image waste products.
bool pays(const Shape& s, const Geometry& g, bool than_tiles) {
  const bool fits = s.kh == kTaps && s.kw == kTaps && s.sh == 1 && s.sw == 1 && g.top >= 0 && g.left >= 0;
  const int64_t products = kValues * g.high() * g.wide();
  const int64_t direct = kTaps * kTaps * (than_tiles ? s.pixels() : g.oh * g.ow);
  const bool middling = std::min(s.channels, s.filters) >= kNarrow && s.channels * s.filters <= kMost;
  return fits && middling && (than_tiles ? 2.9 : 1.5) * products <= direct;
}

// ── tiles ──────────────────────────────────────────────────────────────────────────────────────

// Call `visit` with a function that says where pixel k of a square of Side·Side lies, from (y, x) on:
// in an image, or in `outside`.
template <int Side, typename Float, typename Visit>
inline void with_pixels(Float* image, int64_t rows, int64_t columns, int64_t channels, int64_t y,
                        int64_t x, Float* outside, Visit&& visit) {
  const int64_t first = (y * columns + x) * channels;
  if (y >= 0 && y + Side <= rows && x >= 0 && x + Side <= columns)
    return visit([=, from = image + first](int k) {
      return from + (k / Side * columns + k % Side) * channels;
    });
  Float* pixels[Side * Side];
  for (int64_t i = 0, k = 0; i < Side; ++i)
    for (int64_t j = 0; j < Side; ++j, ++k) {
      const bool there = y + i >= 0 && y + i < rows && x + j >= 0 && x + j < columns;
      pixels[k] = there ? image + first + (i * columns + j) * channels : outside;
    }
  visit([&](int k) { return pixels[k]; });
}

// Prefetch 4×4 pixels from (y, x) on, to read or to write them. GCC leaves out a call that has no effect
// it sees, so this has to be inlined.
template <int Write>
[[gnu::always_inline]] inline void prefetch(const float* image, int64_t rows, int64_t columns,
                                            int64_t channels, int64_t y, int64_t x) {
  constexpr int64_t kLine = 16;  // floats of a cache line
  const int64_t count = std::min<int64_t>(kPixels, columns - x) * channels;
  for (int64_t row = std::max<int64_t>(y, 0); row < std::min(y + kPixels, rows); ++row)
    for (int64_t at = 0; at < count; at += kLine)
      __builtin_prefetch(image + (row * columns + x) * channels + at, Write, 2);
}

// Transform `count` tiles of the images, from the first one on.
void transform_tiles(const Geometry& g, const float* images, int64_t first, int64_t count,
                     Matrices& to) {
  const Array zeros(g.channels, 0.0f);
  g.each(first, count, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    const float* from = images + image * g.rows * g.columns * g.channels;
    prefetch<0>(from, g.rows, g.columns, g.channels, y - g.top + kSide, x);
    const auto transform = [&](auto&& pixel) {
      pool::each_block(g.channels, [&](int64_t c, auto there) {
        both_sides(transform_pixels, there, [&](int k) { return pixel(k) + c; }, Whole(), to.at(tile, c));
      });
    };
    with_pixels<kSide>(from, g.rows, g.columns, g.channels, y - g.top, x - g.left, zeros.data(), transform);
  });
}

// The same for tiles of the gradient.
void transform_gradients(const Geometry& g, const float* gradient, int64_t first, int64_t count,
                         Matrices& to) {
  const Array zeros(g.filters, 0.0f);
  g.each(first, count, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    const float* from = gradient + image * g.oh * g.ow * g.filters;
    prefetch<0>(from, g.oh, g.ow, g.filters, y + kPixels, x);
    with_pixels<kPixels>(from, g.oh, g.ow, g.filters, y, x, zeros.data(), [&](auto&& pixel) {
      pool::each_block(g.filters, [&](int64_t f, auto there) {
        both_sides(transform_weights<kPixels>, there, [&](int k) { return pixel(k) + f; }, Whole(),
                   to.at(tile, f));
      });
    });
  });
}

// Transform tiles of sums back to pixels of the output.
void restore_tiles(const Geometry& g, Matrices& sums, int64_t first, int64_t count, float* out) {
  Array beyond(g.filters);  // for pixels that a side does not have
  g.each(first, count, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    float* to = out + image * g.oh * g.ow * g.filters;
    prefetch<1>(to, g.oh, g.ow, g.filters, y + kPixels, x);
    with_pixels<kPixels>(to, g.oh, g.ow, g.filters, y, x, beyond.data(), [&](auto&& pixel) {
      pool::each_block(g.filters, [&](int64_t f, auto there) {
        both_sides(restore<kPixels>, Whole(), sums.at(tile, f), there,
                   [&](int k) { return pixel(k) + f; });
      });
    });
  });
}

// Products : Vectors or Tiles
// kernel : nine matrices (channels, filters)
template <typename Products>
void convolve(const Geometry& g, const float* images, const float* kernel, float* out) {
  const int64_t whole = (g.together() + Products::kRows - 1) / Products::kRows * Products::kRows;
  const int64_t together = std::min(whole, g.tiles());
  const Products products(g.channels, g.filters, kernel);
  Matrices values(together, g.channels), sums(together, g.filters);
  for (int64_t first = 0; first < g.tiles(); first += together) {
    const int64_t present = std::min(together, g.tiles() - first);
    transform_tiles(g, images, first, present, values);
    products.sum_up(values, present, sums);
    restore_tiles(g, sums, first, present, out);
  }
}

template <typename Products>
void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  convolve<Products>(Geometry::forward(s), images, kernel, out);
}

template <typename Products>
void image_gradient(const Shape& s, const float* gradient, const float* kernel, float* out) {
  const Phase all(0, kTaps, kTaps, 1, 0);  // every offset in the kernel
  const Array flipped = floats::flipped(s, kernel, all, all);
  convolve<Products>(Geometry::backward(s), gradient, flipped.data(), out);
}

void kernel_gradient(const Shape& s, const float* images, const float* gradient, float* out) {
  const Geometry g = Geometry::forward(s);
  const int64_t together = g.together();
  Matrices values(together, g.channels), above(together, g.filters), sums(g.channels, g.filters);
  sums.clear();
  for (int64_t first = 0; first < g.tiles(); first += together) {
    const int64_t present = std::min(together, g.tiles() - first);
    transform_tiles(g, images, first, present, values);
    transform_gradients(g, gradient, first, present, above);
    const Shape row(1, 1, present, values.columns, 1, 1, g.filters, 1, present);
    for (int value = 0; value < kValues; ++value)
      floats::each_group(0, g.filters, [&](auto q, int64_t f, int64_t) {
        floats::blocks<floats::rows_of(q)>(g.channels, [&](auto p, int64_t c) {
          floats::gather<p, q>(row, values[value] + c, above[value] + f, above.columns,
                               sums[value] + c * sums.columns + f, sums.columns);
        });
      });
  }
  const int64_t apart = g.channels * g.filters;
  for (int64_t c = 0; c < g.channels; ++c)
    pool::each_block(g.filters, [&](int64_t f, auto count) {
      both_sides(restore<kTaps>, Whole(), sums.at(c, f), count,
                 Apart<float>{out + c * g.filters + f, apart});
    });
}

}  // namespace winograd
}  // namespace
