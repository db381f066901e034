// Convolution and its slopes by the tiles of Intel's AMX, as accurate as in float32.
//
// A tile product takes bfloat16, 8 bits of a float32's 24. Each float32 is therefore split into the
// sum of three, high, middle and low, and a product is the sum of six products of pieces; the three
// that are left out are smaller than float32 rounds to. (XLA knows this as BF16_BF16_F32_X6.)
//
// Sixteen images are the rows of a tile, at one pixel; 32 channels are summed in one step. Whatever
// fills a tile up is zero, and no sum depends on another image or on what is beside an array.

#pragma once

#include "shape.h"

#if defined(__AMX_BF16__) && defined(__AVX512F__) && defined(__linux__)

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace {
namespace amx {

constexpr int64_t kSide = 16, kDepth = 32, kPieces = 3;

// 16 rows of 32 bfloat16, in pairs: numbers k and k + 16 of what is summed over.
struct alignas(64) Tile {
  uint32_t pairs[16][16];
};

struct alignas(64) Sums {
  float rows[16][16];
};

int64_t parts(int64_t n, int64_t part) { return (n + part - 1) / part; }

// Linux lets a process use tiles once it has asked.
bool permitted() {
  constexpr int kRequest = 0x1023, kTiles = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool granted = syscall(SYS_arch_prctl, kRequest, kTiles) == 0;
  return granted;
}

// Say whether a product of this depth and so many columns fills enough of its tiles.
bool pays(int64_t depth, int64_t columns) {
  const int64_t filled = parts(depth, kDepth) * kDepth * parts(columns, kSide) * kSide;
  return filled <= 2 * depth * columns && permitted();
}

class Registers {
 public:
  Registers() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, unused[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } shapes;
    asm volatile("" ::"r"(&shapes) : "memory");
    _tile_loadconfig(&shapes);
  }
  ~Registers() { _tile_release(); }
};

// Memory that stays with the thread, so that no call waits for fresh pages.
template <typename T, int Which>
T* room(int64_t n) {
  static thread_local std::unique_ptr<T[]> held;
  static thread_local int64_t size = 0;
  if (n > size) {
    held.reset();
    held.reset(new T[n]);
    size = n;
  }
  return held.get();
}

// ── from float32 to tiles ────────────────────────────────────────────────────────────────────

// 16 rows of 16 floats in an array; those that there are, and zeros.
class Block {
 public:
  Block(const float* from, int64_t step, int64_t rows, int64_t columns)
      : from_(from), step_(step), rows_(rows),
        present_(_cvtu32_mask16((1u << std::clamp<int64_t>(columns, 0, kSide)) - 1)) {}

  __m512 row(int64_t row) const {
    const bool there = row < rows_;
    return _mm512_maskz_loadu_ps(there ? present_ : 0, from_ + (there ? row * step_ : 0));
  }

 private:
  const float* from_;
  int64_t step_, rows_;
  __mmask16 present_;
};

template <int Size>
inline void swap_corners(__m512 (&rows)[16]) {
  alignas(64) int low[16], high[16];
  for (int lane = 0; lane < 16; ++lane) {
    low[lane] = lane & Size ? 16 + lane - Size : lane;
    high[lane] = lane & Size ? 16 + lane : lane + Size;
  }
  const __m512i to_low = _mm512_load_si512(low), to_high = _mm512_load_si512(high);
#pragma GCC unroll 16
  for (int row = 0; row < 16; ++row)
    if (!(row & Size)) {
      const __m512 upper = rows[row], lower = rows[row + Size];
      rows[row] = _mm512_permutex2var_ps(upper, to_low, lower);
      rows[row + Size] = _mm512_permutex2var_ps(upper, to_high, lower);
    }
}

inline void read_turned(const Block& block, __m512 (&rows)[16]) {
#pragma GCC unroll 16
  for (int row = 0; row < 16; ++row) rows[row] = block.row(row);
  swap_corners<1>(rows);
  swap_corners<2>(rows);
  swap_corners<4>(rows);
  swap_corners<8>(rows);
}

// The upper halves of the lanes of both, rounded to bfloat16; the rest can be split further.
inline __m512i take_pieces(__m512& one, __m512& other) {
  const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32(0xffff0000);
  const auto take = [&](__m512& value) {
    const __m512i sum = _mm512_add_epi32(_mm512_castps_si512(value), half);
    const __m512i piece = _mm512_and_si512(sum, upper);
    value = _mm512_sub_ps(value, _mm512_castsi512_ps(piece));
    return piece;
  };
  const __m512i low = take(one), high = take(other);
  return _mm512_or_si512(_mm512_srli_epi32(low, 16), high);
}

// Fill a row of three tiles: `one` is what the lower halves of the pairs hold, `other` the upper.
inline void fill_row(Tile* to, int row, __m512 one, __m512 other) {
  for (int piece = 0; piece < kPieces; ++piece)
    _mm512_store_si512(to[piece].pairs[row], take_pieces(one, other));
}

template <bool Turned>
void fill(Tile* to, const Block& lower, const Block& upper) {
  if constexpr (Turned) {
    __m512 one[16], other[16];
    read_turned(lower, one);
    read_turned(upper, other);
    for (int row = 0; row < 16; ++row) fill_row(to, row, one[row], other[row]);
  } else {
    for (int row = 0; row < 16; ++row) fill_row(to, row, lower.row(row), upper.row(row));
  }
}

// Rows are images; what is summed over are the `depth` numbers of a pixel.
void fill_rows(Tile* to, const float* from, int64_t images, int64_t step, int64_t depth) {
  for (int64_t at = 0; at < depth; at += kDepth, to += kPieces)
    fill<false>(to, {from + at, step, images, depth - at},
                {from + at + kSide, step, images, depth - at - kSide});
}

// Matrices (depth, columns) one behind the other; Turned if they lie as (columns, depth).
template <bool Turned>
void fill_columns(Tile* to, const float* from, int64_t matrices, int64_t depth, int64_t columns) {
  for (int64_t each = 0; each < matrices; ++each, from += depth * columns)
    for (int64_t at = 0; at < depth; at += kDepth)
      for (int64_t column = 0; column < columns; column += kSide, to += kPieces) {
        const int64_t half = at + kSide, left = columns - column;
        if constexpr (Turned)
          fill<true>(to, {from + column * depth + at, depth, left, depth - at},
                     {from + column * depth + half, depth, left, depth - half});
        else
          fill<false>(to, {from + at * columns + column, columns, depth - at, left},
                      {from + half * columns + column, columns, depth - half, left});
      }
}

// Images are what is summed over; rows, or columns, are the numbers of a pixel.
template <bool Rows>
void fill_images(Tile* to, const float* from, int64_t images, int64_t step, int64_t numbers) {
  for (int64_t at = 0; at < numbers; at += kSide, to += kPieces)
    fill<Rows>(to, {from + at, step, images, numbers - at},
               {from + at + kSide * step, step, images - kSide, numbers - at});
}

// ── products of tiles ────────────────────────────────────────────────────────────────────────

// Of one summand: the number of its pixel among the rows, and of its matrix among the columns.
struct Link {
  int32_t row, column;
};
using Links = std::vector<Link>;

// Tiles that lie `step` apart from pixel to pixel, or from matrix to matrix.
struct Operand {
  const Tile* from;
  int64_t step;
};

// How many tiles are summed of each link, and how far apart they lie in the columns.
struct Depth {
  int64_t tiles, step;
};

// Registers: 0 to 3 are sums, 4 and 5 rows, 6 and 7 columns.
template <int P>
void load_rows(const Tile* one, const Tile* other) {
  _tile_loadd(4, one, 64);
  if constexpr (P > 1) _tile_loadd(5, other, 64);
}

template <int Q>
void load_columns(const Tile* tile) {
  _tile_loadd(6, tile, 64);
  if constexpr (Q > 1) _tile_loadd(7, tile + kPieces, 64);
}

template <int P, int Q>
void multiply() {
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (Q > 1) _tile_dpbf16ps(1, 4, 7);
  if constexpr (P > 1) _tile_dpbf16ps(2, 5, 6);
  if constexpr (P > 1 && Q > 1) _tile_dpbf16ps(3, 5, 7);
}

// Six products, small ones first; from one to the next only the rows or the columns change.
template <int P, int Q>
void multiply_pieces(const Tile* one, const Tile* other, const Tile* columns) {
  load_rows<P>(one + 2, other + 2);
  load_columns<Q>(columns);
  multiply<P, Q>();
  load_rows<P>(one + 1, other + 1);
  multiply<P, Q>();
  load_columns<Q>(columns + 1);
  multiply<P, Q>();
  load_rows<P>(one, other);
  multiply<P, Q>();
  load_columns<Q>(columns);
  multiply<P, Q>();
  load_columns<Q>(columns + 2);
  multiply<P, Q>();
}

template <int P, int Q>
void accumulate(const Link* link, const Link* end, const Tile* const (&rows)[2], int64_t row_step,
                Operand columns, Depth depth) {
  Sums unused;  // a processor whose tiles are not stored for a microsecond is slow to store the next
  for (; link != end; ++link) {
    const Tile* one = rows[0] + link->row * row_step;
    const Tile* other = rows[1] + link->row * row_step;
    const Tile* column = columns.from + link->column * columns.step;
    for (int64_t tile = 0; tile < depth.tiles; ++tile) {
      multiply_pieces<P, Q>(one, other, column);
      _tile_stored(4, &unused, 64);
      one += kPieces;
      other += kPieces;
      column += depth.step;
    }
  }
}

template <int P, int Q>
void clear() {
  _tile_zero(0);
  if constexpr (Q > 1) _tile_zero(1);
  if constexpr (P > 1) _tile_zero(2);
  if constexpr (P > 1 && Q > 1) _tile_zero(3);
}

// The sums of P by Q tiles; a row of tiles is so many of them.
template <int P, int Q>
void fetch(const Sums* sums, int64_t line) {
  _tile_loadd(0, sums, 64);
  if constexpr (Q > 1) _tile_loadd(1, sums + 1, 64);
  if constexpr (P > 1) _tile_loadd(2, sums + line, 64);
  if constexpr (P > 1 && Q > 1) _tile_loadd(3, sums + line + 1, 64);
}

template <int P, int Q>
void keep(Sums* sums, int64_t line) {
  _tile_stored(0, sums, 64);
  if constexpr (Q > 1) _tile_stored(1, sums + 1, 64);
  if constexpr (P > 1) _tile_stored(2, sums + line, 64);
  if constexpr (P > 1 && Q > 1) _tile_stored(3, sums + line + 1, 64);
}

void copy(const Sums& sums, float* to, int64_t step, int64_t rows, int64_t columns) {
  const __mmask16 mask = static_cast<__mmask16>((1u << std::min(columns, kSide)) - 1);
  for (int64_t row = 0; row < std::min(rows, kSide); ++row)
    _mm512_mask_storeu_ps(to + row * step, mask, _mm512_load_ps(sums.rows[row]));
}

// Call `visit` with the numbers 0 … n-1, two at a time: how many, as a constant, and the first.
template <typename Visit>
void pairs(int64_t n, Visit&& visit) {
  int64_t at = 0;
  for (; at + 1 < n; at += 2) visit(std::integral_constant<int, 2>(), at);
  if (at < n) visit(std::integral_constant<int, 1>(), at);
}

// ── the three operations ─────────────────────────────────────────────────────────────────────

// Each is a sum over links between a pixel of the images, an output pixel, and a place in the
// kernel: call `visit` with the numbers of each three.
template <typename Visit>
void each_link(const Shape& s, Visit&& visit) {
  for (int64_t y = 0; y < s.oh; ++y)
    for (int64_t x = 0; x < s.ow; ++x)
      for (int64_t i = 0; i < s.kh; ++i)
        for (int64_t j = 0; j < s.kw; ++j)
          visit((y * s.sh + i) * s.width + x * s.sw + j, y * s.ow + x, i * s.kw + j);
}

// The tiles of the latest pixels, each filled when it is wanted first, where an old one was.
class Ring {
 public:
  Ring(Tile* tiles, int64_t pixels, int64_t step) : tiles_(tiles), pixels_(pixels), step_(step) {}

  template <typename Fill>
  void fill_up_to(int64_t end, Fill&& fill) {
    for (; filled_ < end; ++filled_) fill(tiles_ + filled_ % pixels_ * step_, filled_);
    asm volatile("" ::: "memory");
  }

 private:
  Tile* tiles_;
  int64_t pixels_, step_, filled_ = 0;
};

// Pixels that are made from others: of what each is a sum, and how many others come first.
struct Made {
  Links links;
  int64_t wanted = 0;

  void add(int64_t pixel, int64_t ring, int64_t place) {
    links.push_back({int32_t(pixel % ring), int32_t(place)});
    wanted = std::max(wanted, pixel + 1);
  }
};

// `pixels`, with `depth` numbers each, times packed matrices (depth, columns).
struct Product {
  const float* from;
  int64_t batch, pixels, depth, columns, ring;
  const Tile* packed;
  float* to;
};

template <int P>
void make_images(const Product& m, const std::vector<Made>& made, int64_t first) {
  const int64_t across = parts(m.columns, kSide), deep = parts(m.depth, kDepth);
  const int64_t images = m.batch - first, step = m.pixels * m.depth, out = made.size() * m.columns;
  const int64_t pixel = deep * kPieces;
  Tile* tiles = room<Tile, 0>(P * m.ring * pixel);
  Ring ring(tiles, m.ring, P * pixel);
  const Tile* const rows[2] = {tiles, tiles + (P - 1) * pixel};
  float* to = m.to + first * out;
  for (const Made& its : made) {
    ring.fill_up_to(its.wanted, [&](Tile* into, int64_t number) {
      const float* from = m.from + first * step + number * m.depth;
      for (int64_t p = 0; p < P; ++p)
        fill_rows(into + p * pixel, from + p * kSide * step, images - p * kSide, step, m.depth);
    });
    pairs(across, [&](auto q, int64_t column) {
      Sums sums[4];
      clear<P, q>();
      accumulate<P, q>(its.links.data(), its.links.data() + its.links.size(), rows, P * pixel,
                       {m.packed + column * kPieces, pixel * across},
                       {deep, across * kPieces});
      keep<P, q>(sums, q);
      for (int each = 0; each < P * q; ++each) {
        const int64_t row = each / q * kSide, at = (column + each % q) * kSide;
        copy(sums[each], to + row * out + at, out, images - row, m.columns - at);
      }
    });
    to += m.columns;
  }
}

void make(const Product& m, const std::vector<Made>& made) {
  for (int64_t first = 0; first < m.batch; first += 2 * kSide)
    if (m.batch - first > kSide)
      make_images<2>(m, made, first);
    else
      make_images<1>(m, made, first);
}

template <bool Turned>
const Tile* packed(const Shape& s, const float* kernel, int64_t depth, int64_t columns) {
  const int64_t places = s.kh * s.kw;
  Tile* tiles = room<Tile, 1>(places * parts(depth, kDepth) * parts(columns, kSide) * kPieces);
  fill_columns<Turned>(tiles, kernel, places, depth, columns);
  return tiles;
}

void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  const Registers registers;
  const int64_t ring = (s.kh - 1) * s.width + s.kw;
  std::vector<Made> outputs(s.pixels());
  each_link(s, [&](int64_t pixel, int64_t output, int64_t place) {
    outputs[output].add(pixel, ring, place);
  });
  make({images, s.batch, s.height * s.width, s.channels, s.filters, ring,
        packed<false>(s, kernel, s.channels, s.filters), out}, outputs);
}

void image_slope(const Shape& s, const float* slope, const float* kernel, float* out) {
  const Registers registers;
  const int64_t ring = (s.kh - 1) * s.ow + s.kw;
  std::vector<Made> pixels(s.height * s.width);
  each_link(s, [&](int64_t pixel, int64_t output, int64_t place) {
    pixels[pixel].add(output, ring, place);
  });
  make({slope, s.batch, s.pixels(), s.filters, s.channels, ring,
        packed<true>(s, kernel, s.filters, s.channels), out}, pixels);
}

#ifndef RUN
#define RUN 9
#endif
// So many output pixels are summed before the next place in the kernel.
constexpr int64_t kRun = RUN;

// Add to a place's sums, (channels, filters), what a run of output pixels gives it.
void gather(const Links& links, int64_t run, const Tile* images, const Tile* slope, int64_t down,
            int64_t across, int64_t column, Sums* sums) {
}

void kernel_slope(const Shape& s, const float* images, const float* slope, float* out) {
  const Registers registers;
  const int64_t down = parts(s.channels, kSide), across = parts(s.filters, kSide);
  const int64_t places = s.kh * s.kw, step = s.pixels() * s.filters;
  const Offsets windows = s.windows();
  const auto wanted = [&](int64_t output) {
    return windows[output] / s.channels + (s.kh - 1) * s.width + s.kw;
  };
  int64_t ring_size = 0;
  for (int64_t first = 0; first < s.pixels(); first += kRun) {
    const int64_t last = std::min(first + kRun, s.pixels()) - 1;
    ring_size = std::max(ring_size, wanted(last) - windows[first] / s.channels);
  }
  std::vector<Links> links(places);
  each_link(s, [&](int64_t pixel, int64_t output, int64_t place) {
    links[place].push_back({int32_t(pixel % ring_size), int32_t(output % kRun)});
  });
  Tile* rows = room<Tile, 0>(ring_size * down * kPieces);
  Tile* columns = room<Tile, 1>(kRun * across * kPieces);
  Sums* sums = room<Sums, 2>(places * down * across);
  std::fill_n(&sums->rows[0][0], places * down * across * kSide * kSide, 0.0f);
  for (int64_t b = 0; b < s.batch; b += kDepth) {
    Ring ring(rows, ring_size, down * kPieces);
    for (int64_t first = 0; first < s.pixels(); first += kRun) {
      const int64_t end = std::min(first + kRun, s.pixels());
      ring.fill_up_to(wanted(end - 1), [&](Tile* into, int64_t number) {
        fill_images<true>(into, images + b * s.image() + number * s.channels, s.batch - b,
                          s.image(), s.channels);
      });
      for (int64_t output = first; output < end; ++output)
        fill_images<false>(columns + (output - first) * across * kPieces,
                           slope + b * step + output * s.filters, s.batch - b, step, s.filters);
      asm volatile("" ::: "memory");
      pairs(across, [&](auto q, int64_t column) {
        for (int64_t place = 0; place < places; ++place)
          pairs(down, [&](auto p, int64_t row) {
            const Tile* const from[2] = {rows + row * kPieces, rows + (row + p - 1) * kPieces};
            Sums* its = sums + (place * down + row) * across + column;
            fetch<p, q>(its, across);
            accumulate<p, q>(&links[place][first], links[place].data() + end, from, down * kPieces,
                             {columns + column * kPieces, across * kPieces}, {1, 0});
            keep<p, q>(its, across);
          });
      });
    }
  }
  for (int64_t row = 0; row < places * down; ++row)
    for (int64_t column = 0; column < across; ++column) {
      const int64_t channel = row % down * kSide, filter = column * kSide;
      copy(sums[row * across + column],
           out + (row / down * s.channels + channel) * s.filters + filter, s.filters,
           s.channels - channel, s.filters - filter);
    }
}

}  // namespace amx
}  // namespace

#else

namespace {
namespace amx {

bool pays(int64_t, int64_t) { return false; }
void forward(const Shape&, const float*, const float*, float*) {}
void image_slope(const Shape&, const float*, const float*, float*) {}
void kernel_slope(const Shape&, const float*, const float*, float*) {}

}  // namespace amx
}  // namespace

#endif
