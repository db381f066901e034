// Products of matrices by tiles, where the processor has them.

#pragma once

#include "shape.h"

#ifdef BAKEOFF_TILES

#include "tiles.h"

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

// So many tiles, each with its pieces, stay in the cache while columns pass; so deep at most.
constexpr int64_t kMostTiles = 400, kMostDeep = 25;

// Sum to a place what `number` tiles of rows give, from `first` on, and so deep, from `at` on.
void multiply_part(const Matrix& left, const Matrix& right, int64_t first, int64_t number,
                   int64_t at, int64_t deep, const Place& place) {
  Tile* rows = room<Tile, 0>(kMostTiles * kPieces);
  Tile* columns = room<Tile, 1>(2 * kMostDeep * kPieces);
  Links links;
  for (int32_t each = 0; each < deep; ++each) links.push_back({each, each});
  for (int64_t row = 0; row < number; ++row)
    for (int64_t each = 0; each < deep; ++each)
      left.fill_rows(rows + (row * deep + each) * kPieces, first + row * kSide,
                     at + each * kDepth);
  pairs(parts(place.columns, kSide), [&](auto q, int64_t column) {
    for (int64_t each = 0; each < deep; ++each)
      for (int64_t one = 0; one < q; ++one)
        right.fill_columns(columns + (each * q + one) * kPieces, (column + one) * kSide,
                           at + each * kDepth);
    settle();
    pairs(number, [&](auto p, int64_t row) {
      const Tile* one = rows + row * deep * kPieces;
      const Operands from{{one, one + (p - 1) * deep * kPieces}, kPieces, columns, q * kPieces,
                          1, 0};
      sum_to<p, q>(links, from, place.at(row * kSide, column * kSide));
    });
  });
}

void multiply(const Matrix& left, const Matrix& right, float* out) {
  const Registers registers;
  const int64_t all = parts(left.depth(), kDepth), down = parts(left.length(), kSide);
  const int64_t most = kMostTiles / std::min(all, kMostDeep) / 2 * 2, step = right.length();
  for (int64_t row = 0; row < down; row += most)
    for (int64_t at = 0; at < all; at += kMostDeep) {
      const int64_t first = row * kSide, number = std::min(most, down - row);
      multiply_part(left, right, first, number, at * kDepth, std::min(kMostDeep, all - at),
                    {out + first * step, step, left.length() - first, step, at > 0});
    }
}

void product(Images left, bool left_turned, Images right, bool right_turned, float* out) {
  const auto matrix = [](Images each, bool over_rows) {
    return Matrix{each.typed_data(), each.dimensions()[0], each.dimensions()[1], over_rows};
  };
  multiply(matrix(left, left_turned), matrix(right, !right_turned), out);
}

}  // namespace amx
}  // namespace

#else

namespace {
namespace amx {

void product(Images, bool, Images, bool, float*) {}

}  // namespace amx
}  // namespace

#endif
