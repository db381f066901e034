// Winograd's minimal filtering F(4, 3) along one side of a tile, and along both.
//
// Six values take the place of six pixels and of three weights: those of polynomials at six points, one
// of them infinity (Lavin and Gray 2016, Fast algorithms for convolutional neural networks). Points are
// 0, ±√½, ±√2: with them rounding errors are a third to a fifth of those with 0, ±1, ±2.

#pragma once

#include "pool.h"

namespace {
namespace winograd {

using pool::Floats;

constexpr int kPixels = 4, kTaps = 3, kSide = kPixels + kTaps - 1;
constexpr float kOne = 0.70710678f, kOther = 1.41421356f;  // points whose squares are ½ and 2

// Bᵀ d, of pixels
inline void transform_pixels(const Floats (&d)[kSide], Floats (&to)[kSide]) {
  const Floats one = d[4] - d[2] * 2.0f, odd_one = (d[3] - d[1] * 2.0f) * kOne;
  const Floats other = d[4] - d[2] * 0.5f, odd_other = (d[3] - d[1] * 0.5f) * kOther;
  to[0] = d[0] + d[4] - d[2] * 2.5f;
  to[1] = one + odd_one;
  to[2] = one - odd_one;
  to[3] = other + odd_other;
  to[4] = other - odd_other;
  to[5] = d[1] + d[5] - d[3] * 2.5f;
}

// G g, of weights, or of pixels of a gradient: a + bx + cx² + dx³ at each point, over the product of the
// point's distances from the others. The last of them is the value at infinity.
template <int Count>
inline void transform_weights(const Floats (&g)[Count], Floats (&to)[kSide]) {
  const Floats &a = g[0], &c = g[2];
  Floats odd_one = g[1], odd_other = g[1];
  if constexpr (Count == 4) {
    odd_one += g[3] * 0.5f;
    odd_other += g[3] * 2.0f;
  }
  odd_one *= kOne * -2 / 3;
  odd_other *= kOther / 6;
  const Floats one = (a + c * 0.5f) * (-2 / 3.0f), other = (a + c * 2.0f) * (1 / 6.0f);
  to[0] = a;
  to[1] = one + odd_one;
  to[2] = one - odd_one;
  to[3] = other + odd_other;
  to[4] = other - odd_other;
  to[5] = g[Count - 1];
}

// Aᵀ m: pixels of the output, or weights of a kernel's gradient.
template <int Count>
inline void restore(const Floats (&m)[kSide], Floats (&to)[Count]) {
  const Floats one = m[1] + m[2], odd_one = (m[1] - m[2]) * kOne;
  const Floats other = m[3] + m[4], odd_other = (m[3] - m[4]) * kOther;
  to[0] = m[0] + one + other;
  to[1] = odd_one + odd_other;
  to[2] = one * 0.5f + other * 2.0f;
  if constexpr (Count == 4) to[3] = odd_one * 0.5f + odd_other * 2.0f;
  to[Count - 1] += m[5];
}

// Values that lie so many floats apart.
template <typename Float>
struct Apart {
  Float* first;
  int64_t step;

  Float* operator()(int k) const { return first + k * step; }
};

// Along both sides: `change` makes To values of From, of each column, then of each row. `from` and `to`
// say where a value lies, by its number, row by row; `read` channels are there, and `written` are wanted.
template <int From, int To, typename Read, typename Where, typename Written, typename Target>
inline void both_sides(void (*change)(const Floats (&)[From], Floats (&)[To]), Read read, Where from,
                       Written written, Target to) {
  Floats half[To][From];
  for (int j = 0; j < From; ++j) {
    Floats one[From], made[To];
    for (int i = 0; i < From; ++i) pool::load(one[i], from(From * i + j), read);
    change(one, made);
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
