// Products of matrices by tiles, where the processor has them.

#pragma once

#include "amx.h"

#if defined(BAKEOFF_TILES)

namespace {
namespace amx {

// One side of a product. Its rows, or its columns, are what is summed over.
struct Matrix {
  const float* from;
  int64_t rows, columns;
  bool over_rows;

  int64_t depth() const { return over_rows ? rows : columns; }
  int64_t length() const { return over_rows ? columns : rows; }

  Block block(int64_t row, int64_t column) const {
    return {from + row * columns + column, columns, rows - row, columns - column};
  }

  // Fill the tiles of 16 of the others at one depth: as rows of the product, or as its columns.
  void fill_rows(Tile* to, int64_t other, int64_t at) const {
    if (over_rows)
      fill<true>(to, block(at, other), block(at + kSide, other));
    else
      fill<false>(to, block(other, at), block(other, at + kSide));
  }

  void fill_columns(Tile* to, int64_t other, int64_t at) const {
    if (over_rows)
      fill<false>(to, block(at, other), block(at + kSide, other));
    else
      fill<true>(to, block(other, at), block(other, at + kSide));
  }
};

// Tiles of so many rows fit the cache, with some of the columns.
int64_t rows_at_once(int64_t deep) {
  constexpr int64_t kCache = 1 << 20;
  return std::max<int64_t>(kCache / (deep * kPieces * sizeof(Tile)) / 2 * 2, 2);
}

// Left times right.
void multiply(const Matrix& left, const Matrix& right, float* out) {
  const Registers registers;
  const int64_t deep = parts(left.depth(), kDepth), across = parts(right.length(), kSide);
  const int64_t down = parts(left.length(), kSide), most = std::min(rows_at_once(deep), down);
  Tile* rows = room<Tile, 0>(most * deep * kPieces);
  Tile* columns = room<Tile, 1>(2 * deep * kPieces);
  Links links;
  for (int32_t at = 0; at < deep; ++at) links.push_back({at, at});
  const Place place{out, right.length(), left.length(), right.length()};
  for (int64_t first = 0; first < down; first += most) {
    const int64_t number = std::min(most, down - first);
    for (int64_t row = 0; row < number; ++row)
      for (int64_t at = 0; at < deep; ++at)
        left.fill_rows(rows + (row * deep + at) * kPieces, (first + row) * kSide,
                                 at * kDepth);
    pairs(across, [&](auto q, int64_t column) {
      for (int64_t at = 0; at < deep; ++at)
        for (int64_t each = 0; each < q; ++each)
          right.fill_columns(columns + (at * q + each) * kPieces,
                                     (column + each) * kSide, at * kDepth);
      settle();
      pairs(number, [&](auto p, int64_t row) {
        const Tile* one = rows + row * deep * kPieces;
        const Operands from{{one, one + (p - 1) * deep * kPieces}, kPieces, columns, q * kPieces,
                            1, 0};
        sum_to<p, q>(links, from, place.at((first + row) * kSide, column * kSide));
      });
    });
  }
}

}  // namespace amx
}  // namespace

#endif
