// The products of Winograd's filtering: for each value of a tile, (tiles, channels) times (channels, filters).

#pragma once

#include "filtering.h"
#include "floats.h"
#include "pool.h"
#include "shape.h"

#ifdef BAKEOFF_TILES
#include "tiles.h"
#endif

namespace {
namespace winograd {

using floats::Array;
using floats::padded;
using pool::Whole;

constexpr int kValues = kSide * kSide;  // of a tile

// For each of the values a matrix, with whole vectors, not cleared; one vector more than it needs lies
// between them, since steps of a power of 2 would meet in the same places of the cache.
class Matrices {
 public:
  Matrices(int64_t rows, int64_t columns)
      : columns(padded(columns)), step(rows * this->columns + floats::kWidth),
        held_(new (Lines::kLine) float[kValues * step]) {}
  Matrices(const Matrices&) = delete;
  ~Matrices() { operator delete[](held_, Lines::kLine); }

  void clear() { std::fill_n(held_, kValues * step, 0.0f); }

  float* operator[](int64_t value) { return held_ + value * step; }

  // The values at one row and column.
  Apart<float> at(int64_t row, int64_t column) { return {held_ + row * columns + column, step}; }

  const int64_t columns, step;

 private:
  using Lines = floats::Aligned<float>;

  float* held_;
};

// Transform the weights of one channel, `count` filters from `from` on; `matrix` floats lie between offsets.
template <typename Count>
inline void transform_kernel(const float* from, int64_t matrix, Count count, Apart<float> to) {
  both_sides(transform_weights<kTaps>, count, Apart<const float>{from, matrix}, Whole(), to);
}

// By vectors: kernels are packed group by group, as in floats.h.
class Vectors {
 public:
  static constexpr int64_t kRows = 1;  // tiles are taken in multiples of it

  Vectors(int64_t channels, int64_t filters, const float* kernel)
      : channels_(channels), filters_(filters), packed_(channels, filters) {
    floats::each_group(channels, filters, [&](auto q, int64_t first, int64_t begin) {
      const int64_t wide = q * floats::kWidth, there = std::min(wide, filters - first);
      for (int64_t c = 0; c < channels; ++c)
        pool::each_block(there, [&](int64_t f, auto count) {
          transform_kernel(kernel + c * filters + first + f, channels * filters, count,
                           packed_.at(0, begin + c * wide + f));
        });
    });
  }

  void sum_up(Matrices& values, int64_t present, Matrices& sums) const {
    Offsets from(present), at(present);
    for (int64_t tile = 0; tile < present; ++tile) {
      from[tile] = tile * values.columns;
      at[tile] = tile * sums.columns;
    }
    for (int value = 0; value < kValues; ++value)
      floats::each_group(channels_, filters_, [&](auto q, int64_t f, int64_t begin) {
        const floats::Rows rows{values[value], 0, 1, channels_, false, sums.columns - f};
        floats::multiply_all<q>(rows, from, packed_[value] + begin, sums[value] + f, at);
      });
  }

 private:
  int64_t channels_, filters_;
  mutable Matrices packed_;
};

#ifdef BAKEOFF_TILES

// By tiles of AMX: a row is a tile of pixels, and kernels are split into pieces once.
class Tiles {
 public:
  static constexpr int64_t kRows = 2 * amx::kSide;

  Tiles(int64_t channels, int64_t filters, const float* kernel)
      : channels_(channels), deep_(amx::parts(channels, amx::kDepth)),
        across_(amx::parts(filters, amx::kSide)),
        rows_(amx::scratch<amx::Tile, 0>(2 * deep_ * amx::kPieces)),
        kernels_(amx::scratch<amx::Tile, 1>(kValues * size())) {
    Matrices made(channels, filters);
    for (int64_t c = 0; c < channels; ++c)
      pool::each_block(filters, [&](int64_t f, auto count) {
        transform_kernel(kernel + c * filters + f, channels * filters, count, made.at(c, f));
      });
    for (int value = 0; value < kValues; ++value)
      amx::fill_columns<false>(kernels_ + value * size(), made[value], channels, made.columns);
  }

  void sum_up(Matrices& values, int64_t present, Matrices& sums) const {
    for (int value = 0; value < kValues; ++value)
      amx::pairs(amx::parts(present, amx::kSide), [&](auto p, int64_t first) {
        sum_rows<p>(value, values, first * amx::kSide, present, sums);
      });
  }

 private:
  int64_t size() const { return deep_ * across_ * amx::kPieces; }

  template <int P>
  void sum_rows(int value, Matrices& values, int64_t first, int64_t present, Matrices& sums) const {
    const int64_t row = deep_ * amx::kPieces;
    for (int64_t each = 0; each < P; ++each) {
      const int64_t at = first + each * amx::kSide;
      amx::fill_rows(rows_ + each * row, values[value] + at * values.columns, present - at, values.columns,
                     channels_);
    }
    amx::settle();
    const amx::Destination to{sums[value], sums.columns, present, sums.columns};
    amx::pairs(across_, [&](auto q, int64_t column) {
      const amx::Tile* kernel = kernels_ + value * size() + column * amx::kPieces;
      const amx::Operands from{{rows_, rows_ + (P - 1) * row}, 0, kernel, 0, deep_, across_ * amx::kPieces};
      amx::sum_to<P, q>({{0, 0}}, from, to.at(first, column * amx::kSide));
    });
  }

  const amx::Registers registers_;
  int64_t channels_, deep_, across_;
  amx::Tile *rows_, *kernels_;
};

#else

using Tiles = Vectors;

#endif

}  // namespace winograd
}  // namespace
