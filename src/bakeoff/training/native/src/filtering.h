// Winograd's minimal filtering F(4, 3) along one side of a tile, and along both.
//
// Three weights become six values of their polynomial, one of them at infinity; six pixels become what
// these are multiplied by, which is interpolation transposed (Lavin and Gray 2016, Fast algorithms for
// convolutional neural networks). Points are 0, ±√½, ±√2: rounding errors are half of those of 0, ±1, ±2
// in the root mean square, and the largest a fifth.

#pragma once

#include "pool.h"

namespace {
namespace winograd {

using pool::Floats;

constexpr int kPixels = 4, kTaps = 3, kSide = kPixels + kTaps - 1;
// Points whose squares are ½ and 2. Even and odd powers are summed apart: x and −x share them.
constexpr float kInner = 0.70710678f, kOuter = 1.41421356f;

// Bᵀ d, of pixels
inline void transform_pixels(const Floats (&d)[kSide], Floats (&to)[kSide]) {
  const Floats inner = d[4] - d[2] * 2.0f, odd_inner = (d[3] - d[1] * 2.0f) * kInner;
  const Floats outer = d[4] - d[2] * 0.5f, odd_outer = (d[3] - d[1] * 0.5f) * kOuter;
  to[0] = d[0] + d[4] - d[2] * 2.5f;
  to[1] = inner + odd_inner;
  to[2] = inner - odd_inner;
  to[3] = outer + odd_outer;
  to[4] = outer - odd_outer;
  to[5] = d[1] + d[5] - d[3] * 2.5f;
}

// G g, of weights, or of pixels of a gradient: a + bx + cx² + dx³ at each point, over the product of the
// point's differences from the other finite ones. At infinity it is the highest coefficient.
template <int Count>
inline void transform_weights(const Floats (&g)[Count], Floats (&to)[kSide]) {
  const Floats &a = g[0], &c = g[2];
  Floats odd_inner = g[1], odd_outer = g[1];
  if constexpr (Count == 4) {
    odd_inner += g[3] * 0.5f;
    odd_outer += g[3] * 2.0f;
  }
  odd_inner *= kInner * -2 / 3;
  odd_outer *= kOuter / 6;
  const Floats inner = (a + c * 0.5f) * (-2 / 3.0f), outer = (a + c * 2.0f) * (1 / 6.0f);
  to[0] = a;
  to[1] = inner + odd_inner;
  to[2] = inner - odd_inner;
  to[3] = outer + odd_outer;
  to[4] = outer - odd_outer;
  to[5] = g[Count - 1];
}

// Aᵀ m: pixels of the output, or weights of a kernel's gradient.
template <int Count>
inline void restore(const Floats (&m)[kSide], Floats (&to)[Count]) {
  const Floats inner = m[1] + m[2], odd_inner = (m[1] - m[2]) * kInner;
  const Floats outer = m[3] + m[4], odd_outer = (m[3] - m[4]) * kOuter;
  to[0] = m[0] + inner + outer;
  to[1] = odd_inner + odd_outer;
  to[2] = inner * 0.5f + outer * 2.0f;
  if constexpr (Count == 4) to[3] = odd_inner * 0.5f + odd_outer * 2.0f;
  to[Count - 1] += m[5];
}

// Values that lie so many floats apart.
template <typename Float>
struct Apart {
  Float* first;
  int64_t step;

  Float* operator()(int k) const { return first + k * step; }
};

// Apply `change` to each column of From·From values, then to each row of what that gives: To·To values.
// from(k) and to(k) say where value k lies, counted row by row; `read` channels are loaded, `written` stored.
template <int From, int To, typename Read, typename Where, typename Written, typename Target>
inline void both_sides(void (*change)(const Floats (&)[From], Floats (&)[To]), Read read, Where from,
                       Written written, Target to) {
  Floats half[To][From];
  for (int j = 0; j < From; ++j) {
    Floats column[From], made[To];
    for (int i = 0; i < From; ++i) pool::load(column[i], from(From * i + j), read);
    change(column, made);
    for (int i = 0; i < To; ++i) half[i][j] = made[i];
  }
  for (int i = 0; i < To; ++i) {
    Floats made[To];
    change(half[i], made);
    for (int j = 0; j < To; ++j) pool::store(made[j], to(To * i + j), written);
  }
}

}  // namespace winograd
}  // namespace
