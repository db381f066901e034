// Convolution with a 3×3 kernel and strides of 1, and its gradients, by Winograd's minimal filtering:
// 16 products for four pixels and a channel instead of 36 (Lavin and Gray 2016, Fast algorithms for
// convolutional neural networks).
//
// A tile of 4×4 pixels d and the kernel g are transformed, multiplied value by value, summed over the
// channels, and transformed back to 2×2 pixels: Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. For each of the 16 values
// that is a product of matrices, (tiles, channels) times (channels, filters). The gradient of the
// kernel sums over tiles instead, of 4×4 pixels and 2×2 of the gradient.

#pragma once

#include "floats.h"
#include "pool.h"
#include "shape.h"

namespace {
namespace winograd {

using floats::Array;
using pool::Floats;

constexpr int kValues = 16;               // of a tile
constexpr int64_t kFewest = 9;            // tiles of an image for which it pays
constexpr int64_t kNarrow = 16;           // channels, or filters, from which it pays,
constexpr int64_t kSmall = 512;           // and values of the kernel at one offset
constexpr int64_t kTogether = 64 * 1024;  // floats of transformed tiles that the cache holds

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

  int64_t high() const { return (oh + 1) / 2; }
  int64_t wide() const { return (ow + 1) / 2; }
  int64_t tiles() const { return batch * high() * wide(); }

  // So many tiles at once.
  int64_t together() const {
    return std::clamp<int64_t>(kTogether / (kValues * (channels + filters)), 16, tiles());
  }

  // Call `visit` for tiles from the first one on: which of them it is, its image, and where its
  // output begins there.
  template <typename Visit>
  void each(int64_t first, int64_t count, Visit&& visit) const {
    int64_t x = first % wide(), y = first / wide() % high(), image = first / wide() / high();
    for (int64_t tile = 0; tile < count; ++tile) {
      visit(tile, image, 2 * y, 2 * x);
      if (++x == wide()) x = 0, ++y;
      if (y == high()) y = 0, ++image;
    }
  }
};

// Whether it is faster, whatever the batch: an image's values may not depend on those beside it. Odd
// sides waste products.
bool pays(const Shape& s, const Geometry& g) {
  const bool fits = s.kh == 3 && s.kw == 3 && s.sh == 1 && s.sw == 1 && g.top >= 0 && g.left >= 0;
  const int64_t tiles = g.high() * g.wide(), products = kValues * tiles, direct = 9 * g.oh * g.ow;
  const bool wide = std::min(s.channels, s.filters) >= kNarrow && s.channels * s.filters >= kSmall;
  return fits && wide && tiles >= kFewest && 3 * products <= 2 * direct;
}

// For each of the 16 values a matrix; one cache line more than it needs lies between them, since
// steps of a power of 2 would meet in the same places of the cache.
class Matrices {
 public:
  Matrices(int64_t rows, int64_t columns)
      : columns(columns), step(rows * columns + floats::kWidth), held_(kValues * step, 0.0f) {}

  float* operator[](int64_t value) { return held_.data() + value * step; }
  float* row(int64_t row) { return held_.data() + row * columns; }

  const int64_t columns, step;

 private:
  Array held_;
};

// ── transformations, of a vector of channels or filters; `from` and `to` say where values lie ─────

template <typename Count, typename From, typename Change>
inline void columns_of_4(Count count, From&& from, Change&& change) {
  for (int j = 0; j < 4; ++j) {
    Floats one[4];
    for (int i = 0; i < 4; ++i) pool::load(one[i], from(4 * i + j), count);
    change(j, one[0], one[1], one[2], one[3]);
  }
}

// Bᵀ d B
template <typename Count, typename From>
inline void transform_tile(Count count, From&& from, float* to, int64_t step) {
  Floats half[kValues];
  columns_of_4(count, from, [&](int j, auto& a, auto& b, auto& c, auto& d) {
    half[j] = a - c;
    half[4 + j] = b + c;
    half[8 + j] = c - b;
    half[12 + j] = b - d;
  });
  for (int i = 0; i < kValues; i += 4) {
    pool::store(half[i] - half[i + 2], to + i * step, count);
    pool::store(half[i + 1] + half[i + 2], to + (i + 1) * step, count);
    pool::store(half[i + 2] - half[i + 1], to + (i + 2) * step, count);
    pool::store(half[i + 1] - half[i + 3], to + (i + 3) * step, count);
  }
}

// Aᵀ m A, 2×2
template <typename Count, typename To>
inline void restore_pixels(Count count, const float* from, int64_t step, To&& to) {
  Floats half[8];
  const auto value = [&](int k) { return from + k * step; };
  columns_of_4(count, value, [&](int j, auto& a, auto& b, auto& c, auto& d) {
    half[j] = a + b + c;
    half[4 + j] = b - c - d;
  });
  for (int i = 0; i < 2; ++i) {
    const Floats* row = half + 4 * i;
    pool::store(row[0] + row[1] + row[2], to(2 * i), count);
    pool::store(row[1] - row[2] - row[3], to(2 * i + 1), count);
  }
}

// The same for a kernel's gradient, 3×3, whose 9 values lie `apart`.
template <typename Count>
inline void restore_kernel(Count count, const float* from, int64_t step, float* to, int64_t apart) {
  Floats half[12];
  const auto value = [&](int k) { return from + k * step; };
  columns_of_4(count, value, [&](int j, auto& a, auto& b, auto& c, auto& d) {
    half[j] = a + b + c;
    half[4 + j] = b - c;
    half[8 + j] = b + c - d;
  });
  for (int i = 0; i < 3; ++i) {
    const Floats* row = half + 4 * i;
    pool::store(row[0] + row[1] + row[2], to + 3 * i * apart, count);
    pool::store(row[1] - row[2], to + (3 * i + 1) * apart, count);
    pool::store(row[1] + row[2] - row[3], to + (3 * i + 2) * apart, count);
  }
}

// G times three values, or two.
inline void spread(const Floats& a, const Floats& b, const Floats& c, Floats* to, int step) {
  const Floats outer = (a + c) * 0.5f, inner = b * 0.5f;
  to[0] = a;
  to[step] = outer + inner;
  to[2 * step] = outer - inner;
  to[3 * step] = c;
}

inline void spread(const Floats& a, const Floats& b, Floats* to, int step) {
  const Floats one = a * 0.5f, other = b * 0.5f;
  to[0] = a;
  to[step] = one + other;
  to[2 * step] = one - other;
  to[3 * step] = b;
}

// G g Gᵀ, of a kernel whose 9 values lie `apart`
template <typename Count>
inline void transform_kernel(Count count, const float* from, int64_t apart, float* to, int64_t step) {
  Floats g[9], half[12];
  for (int k = 0; k < 9; ++k) pool::load(g[k], from + k * apart, count);
  for (int j = 0; j < 3; ++j) spread(g[j], g[3 + j], g[6 + j], half + j, 3);
  for (int i = 0; i < 4; ++i) {
    Floats row[4];
    spread(half[3 * i], half[3 * i + 1], half[3 * i + 2], row, 1);
    for (int j = 0; j < 4; ++j) pool::store(row[j], to + (4 * i + j) * step, count);
  }
}

// The same of 2×2 pixels of a gradient.
template <typename Count, typename From>
inline void transform_gradient(Count count, From&& from, float* to, int64_t step) {
  Floats g[4], half[8];
  for (int k = 0; k < 4; ++k) pool::load(g[k], from(k), count);
  for (int j = 0; j < 2; ++j) spread(g[j], g[2 + j], half + j, 2);
  for (int i = 0; i < 4; ++i) {
    Floats row[4];
    spread(half[2 * i], half[2 * i + 1], row, 1);
    for (int j = 0; j < 4; ++j) pool::store(row[j], to + (4 * i + j) * step, count);
  }
}

// ── tiles ──────────────────────────────────────────────────────────────────────────────────────

// Call `visit` with a function that says where pixel k of a square of Side·Side lies, from (y, x) on:
// in an image, or in `outside`.
template <int Side, typename Float, typename Visit>
inline void with_pixels(Float* image, int64_t rows, int64_t columns, int64_t channels, int64_t y,
                        int64_t x, Float* outside, Visit&& visit) {
  Float* first = image + (y * columns + x) * channels;
  const auto inside = [&](int k) { return first + (k / Side * columns + k % Side) * channels; };
  if (y >= 0 && y + Side <= rows && x >= 0 && x + Side <= columns) return visit(inside);
  Float* pixels[Side * Side];
  for (int k = 0; k < Side * Side; ++k) {
    const int64_t row = y + k / Side, column = x + k % Side;
    const bool there = row >= 0 && row < rows && column >= 0 && column < columns;
    pixels[k] = there ? inside(k) : outside;
  }
  visit([&](int k) { return pixels[k]; });
}

// Transform `count` tiles of the images, from the first one on.
void transform_tiles(const Geometry& g, const float* images, int64_t first, int64_t count,
                     Matrices& to) {
  const Array zeros(g.channels, 0.0f);
  g.each(first, count, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    const float* from = images + image * g.rows * g.columns * g.channels;
    const auto transform = [&](auto&& pixel) {
      pool::each_block(g.channels, [&](int64_t c, auto present) {
        transform_tile(present, [&](int k) { return pixel(k) + c; }, to.row(tile) + c, to.step);
      });
    };
    with_pixels<4>(from, g.rows, g.columns, g.channels, y - g.top, x - g.left, zeros.data(), transform);
  });
}

// The same for tiles of the gradient, 2×2.
void transform_gradients(const Geometry& g, const float* gradient, int64_t first, int64_t count,
                         Matrices& to) {
  const Array zeros(g.filters, 0.0f);
  g.each(first, count, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    const float* from = gradient + image * g.oh * g.ow * g.filters;
    with_pixels<2>(from, g.oh, g.ow, g.filters, y, x, zeros.data(), [&](auto&& pixel) {
      pool::each_block(g.filters, [&](int64_t f, auto present) {
        transform_gradient(present, [&](int k) { return pixel(k) + f; }, to.row(tile) + f, to.step);
      });
    });
  });
}

// kernel : nine matrices (channels, filters)
void convolve(const Geometry& g, const float* images, const float* kernel, float* out) {
  const int64_t together = g.together(), matrix = g.channels * g.filters;
  Matrices packed(g.channels, floats::padded(g.filters)), values(together, g.channels),
      sums(together, g.filters);
  floats::each_group(g.channels, g.filters, [&](auto q, int64_t first, int64_t begin) {
    const int64_t wide = q * floats::kWidth, there = std::min(wide, g.filters - first);
    for (int64_t c = 0; c < g.channels; ++c)
      pool::each_block(there, [&](int64_t f, auto count) {
        transform_kernel(count, kernel + c * g.filters + first + f, matrix,
                         packed[0] + begin + c * wide + f, packed.step);
      });
  });
  Array beyond(g.filters);  // for pixels that an odd side does not have
  for (int64_t first = 0; first < g.tiles(); first += together) {
    const int64_t present = std::min(together, g.tiles() - first);
    transform_tiles(g, images, first, present, values);
    Offsets from(present), at(present);
    for (int64_t tile = 0; tile < present; ++tile) {
      from[tile] = tile * g.channels;
      at[tile] = tile * g.filters;
    }
    for (int value = 0; value < kValues; ++value)
      floats::each_group(g.channels, g.filters, [&](auto q, int64_t f, int64_t begin) {
        const floats::Rows rows{values[value], 0, 1, g.channels, false, g.filters - f};
        floats::multiply_all<q>(rows, from, packed[value] + begin, sums[value] + f, at);
      });
    g.each(first, present, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
      float* to = out + image * g.oh * g.ow * g.filters;
      with_pixels<2>(to, g.oh, g.ow, g.filters, y, x, beyond.data(), [&](auto&& pixel) {
        pool::each_block(g.filters, [&](int64_t f, auto count) {
          restore_pixels(count, sums.row(tile) + f, sums.step, [&](int k) { return pixel(k) + f; });
        });
      });
    });
  }
}

void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  convolve(Geometry::forward(s), images, kernel, out);
}

void image_gradient(const Shape& s, const float* gradient, const float* kernel, float* out) {
  const Phase all(0, 3, 3, 1, 0);
  convolve(Geometry::backward(s), gradient, floats::flipped(s, kernel, all, all).data(), out);
}

void kernel_gradient(const Shape& s, const float* images, const float* gradient, float* out) {
  const Geometry g = Geometry::forward(s);
  const int64_t together = g.together(), wide = floats::padded(g.filters);
  Matrices values(together, g.channels), above(together, wide), sums(g.channels, wide);
  for (int64_t first = 0; first < g.tiles(); first += together) {
    const int64_t present = std::min(together, g.tiles() - first);
    transform_tiles(g, images, first, present, values);
    transform_gradients(g, gradient, first, present, above);
    const Shape row(1, 1, present, g.channels, 1, 1, g.filters, 1, present);
    for (int value = 0; value < kValues; ++value)
      floats::each_group(0, g.filters, [&](auto q, int64_t f, int64_t) {
        floats::blocks<floats::rows_of(q)>(g.channels, [&](auto p, int64_t c) {
          floats::gather<p, q>(row, values[value] + c, above[value] + f, wide,
                               sums[value] + c * wide + f, wide);
        });
      });
  }
  const int64_t apart = g.channels * g.filters;
  for (int64_t c = 0; c < g.channels; ++c)
    pool::each_block(g.filters, [&](int64_t f, auto count) {
      restore_kernel(count, sums.row(c) + f, sums.step, out + c * g.filters + f, apart);
    });
}

}  // namespace winograd
}  // namespace
