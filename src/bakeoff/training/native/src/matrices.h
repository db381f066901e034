// Products of matrices by AMX tiles.

#pragma once

#include "shape.h"

#ifdef BAKEOFF_TILES

#include "tiles.h"

namespace {
namespace amx {

// One operand of a product. The sum is over its rows, or over its columns.
template <typename T>
struct Matrix {
  const T* from;
  int64_t rows, columns;
  bool over_rows;

  int64_t depth() const { return over_rows ? rows : columns; }
  int64_t length() const { return over_rows ? columns : rows; }

  Block<T> block(int64_t row, int64_t column) const {
    return {from + row * columns + column, columns, rows - row, columns - column};
  }

  // Fill the tiles of 16 of its vectors from `at` to `at` + 32 of the depth: as rows of the product,
  // or as its columns.
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

// Block sizes: tiles of one operand kept in the L2 cache; largest depth of a block, in tiles.
constexpr int64_t kMostTiles = 400, kMostDeep = 25;

// Stores a product in an array.
struct Whole {
  float* to;
  int64_t rows, columns;

  Destination at(int64_t row, int64_t column, bool add) const {
    return Destination{to, columns, rows, columns, add}.at(row, column);
  }
  void take(int64_t, int64_t, int64_t, int64_t) const {}
};

// A block of the product, summed over one block of the depth. `row` and `column` are its first;
// tiles are counted from there.
template <typename T, typename To>
class Part {
 public:
  Part(const Matrix<T>& left, const Matrix<float>& right, int64_t row, int64_t column, int64_t at,
       int64_t deep, const To& to)
      : left_(left), right_(right), row_(row), column_(column), at_(at), deep_(deep), to_(to),
        rows_(scratch<Tile, 0>(kMostTiles * kPieces)), columns_(scratch<Tile, 1>(kMostTiles * kPieces)) {
    for (int32_t each = 0; each < deep; ++each) links_.push_back({each, each});
  }

  // Keep the rows in the cache while columns pass, or the columns while rows pass.
  void pass_columns(int64_t rows, int64_t columns) const {
    pairs(rows, [&](auto p, int64_t row) { fill_rows<p>(row, row); });
    pairs(columns, [&](auto q, int64_t column) {
      fill_columns<q>(column, 0);
      settle();
      pairs(rows, [&](auto p, int64_t row) { sum<p, q>(row, row, column, 0); });
    });
  }

  void pass_rows(int64_t rows, int64_t columns) const {
    pairs(columns, [&](auto q, int64_t column) { fill_columns<q>(column, column); });
    pairs(rows, [&](auto p, int64_t row) {
      fill_rows<p>(row, 0);
      settle();
      pairs(columns, [&](auto q, int64_t column) { sum<p, q>(row, 0, column, column); });
      to_.take(row_ + row * kSide, p * kSide, column_, columns * kSide);
    });
  }

 private:
  static constexpr int64_t kLeft = pieces_of<T>;

  template <int P>
  void fill_rows(int64_t row, int64_t slot) const {
    for (int64_t one = 0; one < P; ++one)
      for (int64_t each = 0; each < deep_; ++each)
        left_.fill_rows(rows_ + ((slot + one) * deep_ + each) * kLeft, row_ + (row + one) * kSide,
                        at_ + each * kDepth);
  }

  template <int Q>
  void fill_columns(int64_t column, int64_t slot) const {
    for (int64_t each = 0; each < deep_; ++each)
      for (int64_t one = 0; one < Q; ++one)
        right_.fill_columns(columns_ + (slot * deep_ + each * Q + one) * kPieces,
                            column_ + (column + one) * kSide, at_ + each * kDepth);
  }

  template <int P, int Q>
  void sum(int64_t row, int64_t row_slot, int64_t column, int64_t column_slot) const {
    const Tile* one = rows_ + row_slot * deep_ * kLeft;
    const Operands from{{one, one + (P - 1) * deep_ * kLeft}, kLeft,
                        columns_ + column_slot * deep_ * kPieces, Q * kPieces, 1, 0};
    const Destination target = to_.at(row_ + row * kSide, column_ + column * kSide, at_ > 0);
    sum_to<P, Q, kLeft>(links_, from, target);
  }

  const Matrix<T>& left_;
  const Matrix<float>& right_;
  int64_t row_, column_, at_, deep_;
  const To& to_;
  Tile *rows_, *columns_;
  Links links_;
};

// The gradient of weights sums over the rows of both operands, and the product is the large matrix: it
// is computed row by row, as it lies in memory. Otherwise the weights, on the right, are large.
template <typename T, typename To>
void multiply(const Matrix<T>& left, const Matrix<float>& right, const To& to) {
  const Registers registers;
  const int64_t all = parts(left.depth(), kDepth), most = kMostTiles / std::min(all, kMostDeep);
  const int64_t rows = parts(left.length(), kSide), columns = parts(right.length(), kSide);
  const bool by_rows = left.over_rows;
  const int64_t down = by_rows ? rows : most / 2 * 2, across = by_rows ? most / 2 * 2 : columns;
  for (int64_t row = 0; row < rows; row += down)
    for (int64_t column = 0; column < columns; column += across)
      for (int64_t at = 0; at < all; at += kMostDeep) {
        const Part<T, To> part(left, right, row * kSide, column * kSide, at * kDepth,
                               std::min(kMostDeep, all - at), to);
        const int64_t high = std::min(down, rows - row), wide = std::min(across, columns - column);
        if (by_rows)
          part.pass_rows(high, wide);
        else
          part.pass_columns(high, wide);
      }
}

template <ffi::DataType D>
auto matrix(ffi::Buffer<D> from, bool over_rows) {
  using T = std::remove_pointer_t<decltype(from.typed_data())>;
  return Matrix<T>{from.typed_data(), from.dimensions()[0], from.dimensions()[1], over_rows};
}

template <ffi::DataType D>
void product(ffi::Buffer<D> left, bool left_transposed, Images right, bool right_transposed, float* out) {
  const auto one = matrix(left, left_transposed);
  const auto other = matrix(right, !right_transposed);
  multiply(one, other, Whole{out, one.length(), other.length()});
}

}  // namespace amx
}  // namespace

#else

namespace {
namespace amx {

template <ffi::DataType D>
void product(ffi::Buffer<D>, bool, Images, bool, float*) {}

}  // namespace amx
}  // namespace

#endif
