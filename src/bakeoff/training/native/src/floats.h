// Convolution and its gradients in float32 by vectors, with sums in registers.
//
// All three are one small matrix product, done over and over: P rows times Q vectors of columns.

#pragma once

#include <algorithm>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "shape.h"

namespace {
namespace floats {

// Floats in a vector; largest P·Q; largest Q: sums, columns and one broadcast fit the registers.
#if defined(__AVX512F__)
constexpr int kWidth = 16, kBlock = 25, kColumns = 5;
#elif defined(__AVX__)
constexpr int kWidth = 8, kBlock = 12, kColumns = 3;
#else
constexpr int kWidth = 4, kBlock = 24, kColumns = 4;
#endif
typedef float Vector __attribute__((vector_size(4 * kWidth), aligned(4), may_alias));

// Load or store the first `count` elements of a vector, zeros beyond. Not unrolled, these loops become
// one masked move each; unrolled, or by memcpy, they take three times as long.
template <typename Value>
inline void load_part(Value* held, const Value* from, int count) {
#pragma GCC unroll 1
  for (int i = 0; i < kWidth; ++i) held[i] = i < count ? from[i] : Value(0);
}

template <typename Value>
inline void store_part(const Value* held, Value* __restrict__ to, int count) {
#pragma GCC unroll 1
  for (int i = 0; i < kWidth; ++i)
    if (i < count) to[i] = held[i];
}

// Memory that begins where a cache line does, so that no vector lies in two of them.
template <typename T>
struct Aligned {
  using value_type = T;
  Aligned() = default;
  template <typename Other>
  Aligned(const Aligned<Other>&) {}
  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kLine)); }
  void deallocate(T* from, size_t) { ::operator delete(from, kLine); }
  bool operator==(const Aligned&) const { return true; }
  bool operator!=(const Aligned&) const { return false; }
  static constexpr std::align_val_t kLine{64};
};
using Array = std::vector<float, Aligned<float>>;

constexpr int rows_of(int columns) { return std::min(kBlock / columns, 8); }

int64_t padded(int64_t n) { return (n + kWidth - 1) / kWidth * kWidth; }

// Call `visit` with `value`, one of 1 … Most, as a constant.
template <int Most, typename Visit>
void constant(int64_t value, Visit&& visit) {
  if constexpr (Most > 1)
    if (value < Most) return constant<Most - 1>(value, visit);
  visit(std::integral_constant<int, Most>());
}

// Cut `n` rows into blocks of at most `Most` rows, as even as possible: call `visit` with each
// block's size, as a constant, and its first row.
template <int Most, typename Visit>
void blocks(int64_t n, Visit&& visit) {
  const int64_t count = (n + Most - 1) / Most;
  for (int64_t block = 0; block < count; ++block) {
    const int64_t first = block * n / count;
    constant<Most>((block + 1) * n / count - first, [&](auto rows) { visit(rows, first); });
  }
}

// Cut the vectors of columns into groups of at most kColumns: (first column, number of vectors).
std::vector<std::pair<int64_t, int64_t>> groups(int64_t columns) {
  const int64_t vectors = padded(columns) / kWidth, number = (vectors + kColumns - 1) / kColumns;
  std::vector<std::pair<int64_t, int64_t>> found;
  for (int64_t g = 0; g < number; ++g) {
    const int64_t begin = g * vectors / number;
    found.emplace_back(begin * kWidth, (g + 1) * vectors / number - begin);
  }
  return found;
}

// Call `visit` with each group's number of vectors, as a constant, its first column, and the index
// of its first value in a matrix packed by `pack`.
template <typename Visit>
void each_group(int64_t rows, int64_t columns, Visit&& visit) {
  int64_t begin = 0;
  for (const auto& [first, vectors] : groups(columns)) {
    constant<kColumns>(vectors, [&, first = first](auto q) { visit(q, first, begin); });
    begin += rows * vectors * kWidth;
  }
}

// Pack a matrix group by group, with zeros after its last column.
//
// row_step, column_step : floats from one row, or column, of the matrix to the next
Array pack(int64_t rows, int64_t columns, const float* from, int64_t row_step,
                        int64_t column_step) {
  Array packed(rows * padded(columns), 0.0f);
  float* to = packed.data();
  for (const auto& [first, vectors] : groups(columns)) {
    const int64_t wide = vectors * kWidth, present = std::min(wide, columns - first);
    if (column_step == 1)
      for (int64_t row = 0; row < rows; ++row)
        std::copy_n(from + row * row_step + first, present, to + row * wide);
    else
      for (int64_t column = 0; column < present; ++column)
        for (int64_t row = 0; row < rows; ++row)
          to[row * wide + column] = from[row * row_step + (first + column) * column_step];
    to += rows * wide;
  }
  return packed;
}

// ── pixels times a packed matrix ─────────────────────────────────────────────────────────────

// The left matrix: row p is `lines` runs of `count` floats, `line` floats apart, from from[p] on.
struct Rows {
  const float* from;
  int64_t line, lines, count;
  bool add;      // the product to what `to` holds, instead of storing it
  int64_t left;  // columns of `to` that exist, from the group's first on
};

// Store the columns of one vector that exist.
[[gnu::noinline]] void store_columns(const Rows& rows, int q, const Vector& sum, float* to) {
  const int present = int(std::clamp<int64_t>(rows.left - q * kWidth, 0, kWidth));
  float held[kWidth] = {};
  if (rows.add) load_part(held, to + q * kWidth, present);
  *reinterpret_cast<Vector*>(held) += sum;
  store_part(held, to + q * kWidth, present);
}

template <int P, int Q>
void multiply(const Rows& rows, const int64_t* from, const float* packed, float* to,
              const int64_t* at) {
  Vector sums[P][Q] = {};
  for (int64_t i = 0; i < rows.lines; ++i) {
    const float* run[P];
    for (int p = 0; p < P; ++p) run[p] = rows.from + i * rows.line + from[p];
    for (int64_t t = 0; t < rows.count; ++t, packed += Q * kWidth) {
      Vector columns[Q];
      for (int q = 0; q < Q; ++q) columns[q] = reinterpret_cast<const Vector*>(packed)[q];
      for (int p = 0; p < P; ++p)
        for (int q = 0; q < Q; ++q) sums[p][q] += run[p][t] * columns[q];
    }
  }
  const bool whole = rows.left >= Q * kWidth;
  for (int p = 0; p < P; ++p) {
    Vector* target = reinterpret_cast<Vector*>(to + at[p]);
    if (whole && rows.add)
      for (int q = 0; q < Q; ++q) target[q] += sums[p][q];
    else if (whole)
      for (int q = 0; q < Q; ++q) target[q] = sums[p][q];
    else
      for (int q = 0; q < Q; ++q) store_columns(rows, q, sums[p][q], to + at[p]);
  }
}

template <int Q>
void multiply_all(const Rows& rows, const Offsets& from, const float* packed, float* to,
                  const Offsets& at) {
  blocks<rows_of(Q)>(from.size(), [&](auto p, int64_t first) {
    multiply<p, Q>(rows, from.data() + first, packed, to, at.data() + first);
  });
}

// One image times a kernel that is packed, for the output pixels at `outputs`.
void convolve(const Shape& s, const Offsets& windows, const Offsets& outputs, const float* image,
              const Array& packed, float* out) {
  const int64_t count = s.kw * s.channels;
  each_group(s.kh * count, s.filters, [&](auto q, int64_t first, int64_t begin) {
    const Rows rows{image, s.line(), s.kh, count, false, s.filters - first};
    multiply_all<q>(rows, windows, packed.data() + begin, out + first, outputs);
  });
}

// Lay an image into `held`, which is as large as with its margin, and zero at first.
void with_margin(const Shape& s, const float* image, float* held) {
  const int64_t count = s.columns() * s.channels;
  for (int64_t y = 0; y < s.rows(); ++y)
    std::copy_n(image + y * count, count, held + (y + s.top) * s.line() + s.left * s.channels);
}

void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  const auto packed = pack(s.kh * s.kw * s.channels, s.filters, kernel, s.filters, 1);
  const Offsets windows = s.windows(), outputs = s.outputs();
  Array held(s.has_margin() ? s.image() : 0);
  for (int64_t b = 0; b < s.batch; ++b) {
    const float* image = images + b * s.stored();
    if (s.has_margin()) {
      with_margin(s, image, held.data());
      image = held.data();
    }
    convolve(s, windows, outputs, image, packed, out + b * s.pixels() * s.filters);
  }
}

// Whether it pays to store each pixel once: where windows overlap and few sums are of the margin.
bool gathers(const Shape& s) {
  const bool overlap = s.kh > s.sh || s.kw > s.sw;
  return overlap && 5 * s.stored_pixels() <= 6 * s.pixels() * s.sh * s.sw;
}

// A kernel flipped along both sides, its channels and filters exchanged; of every offset that is
// `down` and `across`. Cache lines are read once: those of a few channels at a time.
Array flipped(const Shape& s, const float* kernel, const Phase& down, const Phase& across) {
  Array made(down.taps * across.taps * s.filters * s.channels);
  float* to = made.data();
  each_offset_flipped(s, down, across, [&](int64_t offset) {
    const float* from = kernel + offset * s.channels * s.filters;
    for (int64_t first = 0; first < s.channels; first += 16)
      for (int64_t f = 0; f < s.filters; ++f)
        for (int64_t c = first; c < std::min(first + 16, s.channels); ++c)
          to[f * s.channels + c] = from[c * s.filters + f];
    to += s.filters * s.channels;
  });
  return made;
}

// The gradient of the pixels that lie alike to the windows is a convolution, too: of the gradient of
// the output, in a margin of zeros, with the flipped kernel at the offsets where they are met.
struct Alike {
  Shape shape;
  Array packed;
  Offsets windows, outputs;

  Alike(const Shape& s, const float* kernel, const Phase& down, const Phase& across, int64_t height,
        int64_t width)
      : shape(1, height, width, s.filters, down.taps, across.taps, s.channels, down.pixels,
              across.pixels),
        packed(pack(down.taps * across.taps * s.filters, s.channels,
                    flipped(s, kernel, down, across).data(), s.channels, 1)) {
    for (int64_t y = 0; y < down.pixels; ++y)
      for (int64_t x = 0; x < across.pixels; ++x) {
        windows.push_back(((down.from + y) * width + across.from + x) * s.filters);
        const int64_t row = down.first + y * s.sh, column = across.first + x * s.sw;
        outputs.push_back((row * s.columns() + column) * s.channels);
      }
  }
};

void gathered_image_gradient(const Shape& s, const float* gradient, const float* kernel,
                             float* out) {
  const int64_t height = Phase::windows(s.rows(), s.kh, s.sh, s.top, s.oh);
  const int64_t width = Phase::windows(s.columns(), s.kw, s.sw, s.left, s.ow);
  std::vector<Alike> all;
  each_phase(s, [&](const Phase& down, const Phase& across) {
    all.emplace_back(s, kernel, down, across, height, width);
  });
  const int64_t top = Phase::margin(s.kh, s.sh), left = Phase::margin(s.kw, s.sw);
  Array held(height * width * s.filters, 0.0f);
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t y = 0; y < s.oh; ++y)
      std::copy_n(gradient + (b * s.oh + y) * s.ow * s.filters, s.ow * s.filters,
                  held.data() + ((y + top) * width + left) * s.filters);
    for (const Alike& each : all)
      convolve(each.shape, each.windows, each.outputs, held.data(), each.packed,
               out + b * s.stored());
  }
}

// For each offset in the kernel, the gradient of every output pixel times the kernel's matrix at that
// offset is added to the pixel of the image at that offset in the window.
void image_gradient(const Shape& s, const float* gradient, const float* kernel, float* out) {
  if (gathers(s)) return gathered_image_gradient(s, gradient, kernel, out);
  const bool add = !s.apart();
  std::vector<Array> packed;  // of each offset, transposed: (filters, channels)
  for (int64_t offset = 0; offset < s.kh * s.kw; ++offset)
    packed.push_back(pack(s.filters, s.channels,
                          kernel + offset * s.channels * s.filters, 1, s.filters));
  const Offsets windows = s.windows(), outputs = s.outputs();
  Array held(s.has_margin() ? s.image() : 0);
  for (int64_t b = 0; b < s.batch; ++b) {
    float* stored = out + b * s.stored();
    float* image = s.has_margin() ? held.data() : stored;
    if (add) std::fill_n(image, s.image(), 0.0f);
    each_group(s.filters, s.channels, [&](auto q, int64_t first, int64_t begin) {
      const Rows rows{gradient + b * s.pixels() * s.filters, 0, 1, s.filters, add,
                      s.channels - first};
      for (int64_t offset = 0; offset < s.kh * s.kw; ++offset) {
        const int64_t shift = offset / s.kw * s.line() + offset % s.kw * s.channels;
        float* to = image + shift + first;
        multiply_all<q>(rows, outputs, packed[offset].data() + begin, to, windows);
      }
    });
    const int64_t count = s.columns() * s.channels;
    for (int64_t y = 0; s.has_margin() && y < s.rows(); ++y)
      std::copy_n(image + (y + s.top) * s.line() + s.left * s.channels, count, stored + y * count);
  }
}

// ── the gradient of the kernel ──────────────────────────────────────────────────────────────────

// Add to P rows of `sums`, `wide` floats apart, their share of one image: for every output pixel, P
// values of the run at its window times the pixel's gradient. Gradients are `step` floats apart.
template <int P, int Q>
void gather(const Shape& s, const float* image, const float* gradient, int64_t step, float* sums,
            int64_t wide) {
  Vector values[P][Q];
  for (int p = 0; p < P; ++p)
    for (int q = 0; q < Q; ++q) values[p][q] = reinterpret_cast<Vector*>(sums + p * wide)[q];
  for (int64_t y = 0; y < s.oh; ++y) {
    const float* run = image + y * s.sh * s.line();
    for (int64_t x = 0; x < s.ow; ++x, run += s.sw * s.channels, gradient += step) {
      Vector columns[Q];
      for (int q = 0; q < Q; ++q) columns[q] = reinterpret_cast<const Vector*>(gradient)[q];
      for (int p = 0; p < P; ++p)
        for (int q = 0; q < Q; ++q) values[p][q] += run[p] * columns[q];
    }
  }
  for (int p = 0; p < P; ++p)
    for (int q = 0; q < Q; ++q) reinterpret_cast<Vector*>(sums + p * wide)[q] = values[p][q];
}

constexpr int64_t kTogether = 48 * 1024;  // floats of images and gradients that the cache holds
constexpr int64_t kTall = 96;             // rows of a kernel from which it pays to pack gradients

// Q vectors of columns of some rows that are `step` floats apart: side by side, so that they stay in
// the nearest cache, with zeros after the last of `present` columns.
template <int Q>
void side_by_side(const float* from, int64_t step, int64_t present, int64_t rows, float* to) {
  for (int64_t row = 0; row < rows; ++row, from += step, to += Q * kWidth)
    if (present >= Q * kWidth) {
      for (int q = 0; q < Q; ++q)
        reinterpret_cast<Vector*>(to)[q] = reinterpret_cast<const Vector*>(from)[q];
    } else {
      std::copy_n(from, present, to);
      std::fill_n(to + present, Q * kWidth - present, 0.0f);
    }
}

void kernel_gradient(const Shape& s, const float* images, const float* gradient, float* out) {
  const int64_t count = s.kw * s.channels, wide = padded(s.filters);
  const int64_t fit = kTogether / (s.image() + s.pixels() * wide);
  const int64_t together = std::min(std::max<int64_t>(fit, 1), s.batch);
  Array sums(s.kh * count * wide, 0.0f);
  Array held(s.has_margin() ? together * s.image() : 0, 0.0f);
  const bool packs = s.kh * count >= kTall || wide != s.filters;
  Array packed(packs ? together * s.pixels() * kColumns * kWidth : 0);
  for (int64_t b = 0; b < s.batch; b += together) {
    const int64_t present = std::min(together, s.batch - b);
    const float *from = images + b * s.stored(), *by = gradient + b * s.pixels() * s.filters;
    if (s.has_margin()) {
      for (int64_t each = 0; each < present; ++each)
        with_margin(s, from + each * s.stored(), held.data() + each * s.image());
      from = held.data();
    }
    each_group(0, s.filters, [&](auto q, int64_t first, int64_t) {
      const int64_t step = packs ? q * kWidth : wide;
      if (packs)
        side_by_side<q>(by + first, s.filters, s.filters - first, present * s.pixels(), packed.data());
      const float* above = packs ? packed.data() : by + first;
      for (int64_t i = 0; i < s.kh; ++i)
        blocks<rows_of(q)>(count, [&](auto p, int64_t offset) {
          for (int64_t each = 0; each < present; ++each)
            gather<p, q>(s, from + each * s.image() + i * s.line() + offset,
                         above + each * s.pixels() * step, step,
                         sums.data() + (i * count + offset) * wide + first, wide);
        });
    });
  }
  for (int64_t row = 0; row < s.kh * count; ++row)
    std::copy_n(sums.data() + row * wide, s.filters, out + row * s.filters);
}

}  // namespace floats
}  // namespace
