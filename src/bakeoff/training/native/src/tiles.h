// Tiles of Intel's AMX, filled from float32 and multiplied as accurately as float32.
//
// A tile product takes bfloat16, which has 8 of a float32's 24 significant bits. Each float32 is
// therefore split into the sum of three bfloat16, and a product into six products of these pieces. The
// other three are smaller than the rounding of float32. (XLA calls this BF16_BF16_F32_X6.)

#pragma once

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace {
namespace amx {

// Rows, and columns, of a tile; the reduction dimension of one product; pieces of a float32.
constexpr int64_t kSide = 16, kDepth = 32, kPieces = 3;

// A byte is exact in one bfloat16.
template <typename T>
constexpr int64_t pieces_of = std::is_same_v<T, uint8_t> ? 1 : kPieces;

// 16 rows, or columns, of 32 bfloat16, in pairs: values k and k + 16 of the reduction dimension.
struct alignas(64) Tile {
  uint32_t pairs[16][16];
};

struct alignas(64) Sums {
  float rows[16][16];
};

int64_t parts(int64_t n, int64_t part) { return (n + part - 1) / part; }

// Whether Linux lets this process use tiles; it has to be asked.
bool permitted() {
  constexpr int kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  static const bool granted = syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return granted;
}

// The compiler does not know that tiles are loaded from memory: all stores must come before.
inline void settle() { asm volatile("" ::: "memory"); }

// Configures the tile registers for its lifetime: each has 16 rows of 64 bytes.
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
  Registers(const Registers&) = delete;
  ~Registers() { _tile_release(); }
};

// A scratch buffer that stays with the thread, so that no call waits for fresh pages.
template <typename T, int Which>
T* scratch(int64_t n) {
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

// A mask of the first `number` of 16 elements.
inline __mmask16 first_of_16(int64_t number) {
  return _cvtu32_mask16((1u << std::clamp<int64_t>(number, 0, kSide)) - 1);
}

inline __m512 load(__mmask16 present, const float* from) {
  return _mm512_maskz_loadu_ps(present, from);
}

inline __m512 load(__mmask16 present, const uint8_t* from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(present, from)));
}

// A block of 16 rows of 16 values of an array; zeros beyond its end.
template <typename T>
class Block {
 public:
  Block(const T* from, int64_t step, int64_t rows, int64_t columns)
      : from_(from), step_(step), rows_(rows),
        present_(first_of_16(columns)) {}

  // A row beyond the end is read from zeros: a mask of its own for each row would take longer.
  __m512 row(int64_t row) const {
    alignas(64) static constexpr T kZeros[kSide] = {};
    return load(present_, row < rows_ ? from_ + row * step_ : kZeros);
  }

  int64_t step() const { return step_; }

  // Where it begins, if it is floats and nothing of it lies beyond the end; else nothing.
  const float* whole() const {
    if constexpr (std::is_same_v<T, float>)
      if (rows_ >= kSide && present_ == 0xffff) return from_;
    return nullptr;
  }

 private:
  const T* from_;
  int64_t step_, rows_;
  __mmask16 present_;
};

// Rows that become columns. A vector is loaded with four values of each of four rows that lie four
// apart, so that only pairs and pairs of pairs are left to be exchanged, within quarters of vectors.
template <typename T>
inline void read_transposed(Block<T> block, __m512 (&rows)[16]) {
  alignas(64) float held[16][16];
  const float* from = block.whole();
  const int64_t step = from ? block.step() : kSide;
  if (!from) {
    for (int row = 0; row < 16; ++row) _mm512_store_ps(held[row], block.row(row));
    from = held[0];
  }
#pragma GCC unroll 4
  for (int first = 0; first < 16; first += 4) {
    const auto lines = [&](int64_t row) {
      const float* at = from + row * step + first;
      __m512 four = _mm512_castps128_ps512(_mm_loadu_ps(at));
      four = _mm512_insertf32x4(four, _mm_loadu_ps(at + 4 * step), 1);
      four = _mm512_insertf32x4(four, _mm_loadu_ps(at + 8 * step), 2);
      return _mm512_castps_pd(_mm512_insertf32x4(four, _mm_loadu_ps(at + 12 * step), 3));
    };
    const auto pairs = [](bool high, __m512d one, __m512d other) {
      const __m512 a = _mm512_castpd_ps(one), b = _mm512_castpd_ps(other);
      return _mm512_castps_pd(high ? _mm512_unpackhi_ps(a, b) : _mm512_unpacklo_ps(a, b));
    };
    const __m512d a = lines(0), b = lines(1), c = lines(2), d = lines(3);
    for (int half = 0; half < 2; ++half) {
      const __m512d upper = pairs(half, a, b), lower = pairs(half, c, d);
      rows[first + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(upper, lower));
      rows[first + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(upper, lower));
    }
  }
}

// Subtract from each of both its value as bfloat16, and return these as pairs. After three times nothing
// is left: 8 bits each. The first one is rounded, which makes the products that are left out four times
// smaller; the others are cut off, which is faster.
template <bool Rounded>
inline __m512i take_pieces(__m512& one, __m512& other) {
  const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32(0xffff0000);
  const auto take = [&](__m512& value) {
    __m512i piece = _mm512_castps_si512(value);
    if constexpr (Rounded) piece = _mm512_add_epi32(piece, half);
    value = _mm512_sub_ps(value, _mm512_castsi512_ps(_mm512_and_si512(piece, upper)));
    return piece;
  };
  const __m512i low = take(one), high = _mm512_and_si512(take(other), upper);
  return _mm512_or_si512(_mm512_srli_epi32(low, 16), high);
}

template <int64_t Pieces>
inline void fill_row(Tile* to, int row, __m512 one, __m512 other) {
  _mm512_store_si512(to[0].pairs[row], take_pieces<true>(one, other));
  for (int piece = 1; piece < Pieces; ++piece)
    _mm512_store_si512(to[piece].pairs[row], take_pieces<false>(one, other));
}

// Fill one tile for each piece: `lower` in the lower halves of the pairs, `upper` in the upper ones. Blocks
// are copies: the compiler sees that no store changes them.
template <bool Transposed, typename T>
void fill(Tile* to, Block<T> lower, Block<T> upper) {
  if constexpr (Transposed) {
    __m512 one[16], other[16];
    read_transposed(lower, one);
    read_transposed(upper, other);
    for (int row = 0; row < 16; ++row) fill_row<pieces_of<T>>(to, row, one[row], other[row]);
  } else {
    for (int row = 0; row < 16; ++row) fill_row<pieces_of<T>>(to, row, lower.row(row), upper.row(row));
  }
}

// Rows are images; the reduction is over the values of a pixel.
void fill_rows(Tile* to, const float* from, int64_t images, int64_t step, int64_t values) {
  for (int64_t at = 0; at < values; at += kDepth, to += kPieces)
    fill<false, float>(to, {from + at, step, images, values - at},
                {from + at + kSide, step, images, values - at - kSide});
}

// The reduction is over images; the values of a pixel are rows, or columns.
template <bool Rows>
void fill_images(Tile* to, const float* from, int64_t images, int64_t step, int64_t values) {
  for (int64_t at = 0; at < values; at += kSide, to += kPieces)
    fill<Rows, float>(to, {from + at, step, images, values - at},
               {from + at + kSide * step, step, images - kSide, values - at});
}

// A matrix (depth, columns); Transposed if it is stored as (columns, depth).
template <bool Transposed>
void fill_columns(Tile* to, const float* from, int64_t depth, int64_t columns) {
  for (int64_t at = 0; at < depth; at += kDepth)
    for (int64_t column = 0; column < columns; column += kSide, to += kPieces) {
      const int64_t half = at + kSide, left = columns - column;
      if constexpr (Transposed)
        fill<true, float>(to, {from + column * depth + at, depth, left, depth - at},
                   {from + column * depth + half, depth, left, depth - half});
      else
        fill<false, float>(to, {from + at * columns + column, columns, depth - at, left},
                    {from + half * columns + column, columns, depth - half, left});
    }
}

// ── products of tiles ────────────────────────────────────────────────────────────────────────

// One product: the tiles of a pixel times those of a matrix, both by index.
struct Link {
  int32_t pixel, matrix;
};
using Links = std::vector<Link>;

// Tiles of both operands. row_step, column_step : tiles from one pixel, or matrix, to the next;
// depth : tiles along the reduction; line : tiles of the matrix from one depth to the next.
struct Operands {
  const Tile* rows[2];
  int64_t row_step;
  const Tile* columns;
  int64_t column_step, depth, line;
};

// Registers: 0 to 3 are sums, 4 and 5 rows, 6 and 7 columns.
template <int P>
inline void load_rows(const Tile* one, const Tile* other) {
  _tile_loadd(4, one, 64);
  if constexpr (P > 1) _tile_loadd(5, other, 64);
}

template <int Q>
inline void load_columns(const Tile* tile) {
  _tile_loadd(6, tile, 64);
  if constexpr (Q > 1) _tile_loadd(7, tile + kPieces, 64);
}

template <int P, int Q>
inline void multiply() {
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (Q > 1) _tile_dpbf16ps(1, 4, 7);
  if constexpr (P > 1) _tile_dpbf16ps(2, 5, 6);
  if constexpr (P > 1 && Q > 1) _tile_dpbf16ps(3, 5, 7);
}

// Six products, the small ones first, ordered so that from one to the next only the rows or only the
// columns are loaded. Three where the rows are bytes.
template <int P, int Q, int64_t Pieces>
inline void multiply_pieces(const Tile* one, const Tile* other, const Tile* columns) {
  if constexpr (Pieces == 1) {
    load_rows<P>(one, other);
    for (int64_t piece = kPieces; piece-- > 0;) {
      load_columns<Q>(columns + piece);
      multiply<P, Q>();
    }
    return;
  }
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

template <int P, int Q, int64_t Pieces>
inline void accumulate(const Link* link, const Link* end, const Operands& from) {
  Sums unused;  // after about 0.5 µs without a tile store the next one stalls, so a dummy tile is stored
  for (; link < end; ++link) {
    const Tile* one = from.rows[0] + link->pixel * from.row_step;
    const Tile* other = from.rows[1] + link->pixel * from.row_step;
    const Tile* columns = from.columns + link->matrix * from.column_step;
    for (int64_t tile = 0; tile < from.depth; ++tile) {
      multiply_pieces<P, Q, Pieces>(one, other, columns);
      _tile_stored(4, &unused, 64);
      one += Pieces;
      other += Pieces;
      columns += from.line;
    }
  }
}

// Sum up some products, P by Q tiles at a time, and store the sums: `step` floats from one row to the
// next, `apart` to the tile beside and `below` to the one below.
template <int P, int Q, int64_t Pieces = kPieces>
void sum_up(const Link* link, const Link* end, const Operands& from, float* to, int64_t step,
            int64_t apart, int64_t below) {
  _tile_zero(0);
  if constexpr (Q > 1) _tile_zero(1);
  if constexpr (P > 1) _tile_zero(2);
  if constexpr (P > 1 && Q > 1) _tile_zero(3);
  accumulate<P, Q, Pieces>(link, end, from);
  _tile_stored(0, to, step * 4);
  if constexpr (Q > 1) _tile_stored(1, to + apart, step * 4);
  if constexpr (P > 1) _tile_stored(2, to + below, step * 4);
  if constexpr (P > 1 && Q > 1) _tile_stored(3, to + below + apart, step * 4);
}

template <int P, int Q, int64_t Pieces = kPieces>
void sum_up(const Link* link, const Link* end, const Operands& from, Sums (&sums)[2][2]) {
  constexpr int64_t kFloats = kSide * kSide;
  sum_up<P, Q, Pieces>(link, end, from, &sums[0][0].rows[0][0], kSide, kFloats, 2 * kFloats);
}

// Where sums are stored. step : floats from one row to the next; rows, columns : how many exist;
// add : to what is there.
struct Destination {
  float* to;
  int64_t step, rows, columns;
  bool add = false;

  Destination at(int64_t row, int64_t column) const {
    return {to + row * step + column, step, rows - row, columns - column, add};
  }
};

// Store the sum of `number` tiles, every fourth from `sums` on.
void copy(const Sums* sums, int64_t number, const Destination& target) {
  const __mmask16 present = first_of_16(target.columns);
  for (int64_t row = 0; row < std::min(target.rows, kSide); ++row) {
    __m512 sum = _mm512_load_ps(sums->rows[row]);
    for (int64_t each = 1; each < number; ++each)
      sum = _mm512_add_ps(sum, _mm512_load_ps(sums[4 * each].rows[row]));
    float* to = target.to + row * target.step;
    if (target.add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(present, to));
    _mm512_mask_storeu_ps(to, present, sum);
  }
}

// Tile products that are summed up in registers, and the most of such partial sums. Partial sums are
// smaller, so they are rounded more finely.
constexpr int64_t kRun = 8, kMostRuns = 8;

// Sum up products, P by Q tiles at a time, and store the sums.
template <int P, int Q, int64_t Pieces = kPieces>
void sum_to(const Links& links, const Operands& from, const Destination& target) {
  const int64_t all = links.size();
  const int64_t run = std::max(parts(all, kMostRuns), parts(kRun, from.depth));
  if (all <= run && !target.add && target.rows >= P * kSide && target.columns >= Q * kSide)
    return sum_up<P, Q, Pieces>(links.data(), links.data() + all, from, target.to, target.step, kSide,
                                kSide * target.step);
  Sums sums[kMostRuns][2][2];
  int64_t number = 0;
  for (int64_t first = 0; first == 0 || first < all; first += run)
    sum_up<P, Q, Pieces>(links.data() + first, links.data() + std::min(first + run, all), from,
                 sums[number++]);
  for (int64_t p = 0; p < P; ++p)
    for (int64_t q = 0; q < Q; ++q)
      copy(&sums[0][p][q], number, target.at(p * kSide, q * kSide));
}

// Call `visit` with 0 … n-1 in pairs: how many, as a constant, and the first.
template <typename Visit>
void pairs(int64_t n, Visit&& visit) {
  int64_t at = 0;
  for (; at + 1 < n; at += 2) visit(std::integral_constant<int, 2>(), at);
  if (at < n) visit(std::integral_constant<int, 1>(), at);
}

}  // namespace amx
}  // namespace
