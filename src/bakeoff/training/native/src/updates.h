// Weights of dense layers, updated as Keras's optimizers do while their gradient is summed up by tiles.
//
// The gradient never leaves the cache; weights and moments pass through the processor once.

#pragma once

#include "matrices.h"

namespace {

using Numbers = const float*;  // what a rule goes by, in the order in which it is read here

#ifdef BAKEOFF_TILES

namespace amx {

// An estimate of 14 bits and a step of Newton's: right to about a unit in the last place.
inline __m512 inverse(__m512 value) {
  const __m512 guess = _mm512_rcp14_ps(value);
  return _mm512_mul_ps(guess, _mm512_fnmadd_ps(value, guess, _mm512_set1_ps(2)));
}

inline __m512 root(__m512 value) {
  const __m512 some = _mm512_max_ps(_mm512_set1_ps(1e-37f), value);  // what is no number stays so
  const __m512 guess = _mm512_rsqrt14_ps(some), half = _mm512_mul_ps(some, _mm512_set1_ps(0.5f));
  const __m512 error = _mm512_fnmadd_ps(_mm512_mul_ps(half, guess), guess, _mm512_set1_ps(1.5f));
  return _mm512_mul_ps(some, _mm512_mul_ps(guess, error));
}

// Each rule returns what is taken off the weights.
struct Sgd {
  static constexpr int kMoments = 0;
  __m512 rate;

  explicit Sgd(Numbers n) : rate(_mm512_set1_ps(n[0])) {}
  __m512 operator()(__m512 gradient, __m512*) const { return _mm512_mul_ps(gradient, rate); }
};

struct Rmsprop {
  static constexpr int kMoments = 1;
  __m512 rate, fresh, epsilon;

  explicit Rmsprop(Numbers n)
      : rate(_mm512_set1_ps(n[0])), fresh(_mm512_set1_ps(n[1])), epsilon(_mm512_set1_ps(n[2])) {}
  __m512 operator()(__m512 gradient, __m512* square) const {
    const __m512 change = _mm512_fmsub_ps(gradient, gradient, *square);
    *square = _mm512_fmadd_ps(change, fresh, *square);
    const __m512 below = root(_mm512_add_ps(*square, epsilon));
    return _mm512_mul_ps(_mm512_mul_ps(gradient, rate), inverse(below));
  }
};

struct Adam {
  static constexpr int kMoments = 2;
  __m512 rate, fresh, fresh_square, epsilon;

  explicit Adam(Numbers n)
      : rate(_mm512_set1_ps(n[0])), fresh(_mm512_set1_ps(n[1])),
        fresh_square(_mm512_set1_ps(n[2])), epsilon(_mm512_set1_ps(n[3])) {}
  __m512 operator()(__m512 gradient, __m512* moments) const {
    moments[0] = _mm512_fmadd_ps(_mm512_sub_ps(gradient, moments[0]), fresh, moments[0]);
    const __m512 change = _mm512_fmsub_ps(gradient, gradient, moments[1]);
    moments[1] = _mm512_fmadd_ps(change, fresh_square, moments[1]);
    const __m512 below = _mm512_add_ps(root(moments[1]), epsilon);
    return _mm512_mul_ps(_mm512_mul_ps(moments[0], rate), inverse(below));
  }
};

// What the penalties add to the gradient, and what decays of the weights.
struct Shrinkage {
  __m512 l1, twice_l2, decay;

  explicit Shrinkage(Numbers n)
      : l1(_mm512_set1_ps(n[0])), twice_l2(_mm512_set1_ps(2 * n[1])), decay(_mm512_set1_ps(n[2])) {}

  __m512 penalized(__m512 gradient, __m512 weights) const {
    const __m512 zero = _mm512_setzero_ps();
    gradient = _mm512_fmadd_ps(weights, twice_l2, gradient);
    gradient = _mm512_mask_add_ps(gradient, _mm512_cmp_ps_mask(weights, zero, _CMP_GT_OQ), gradient, l1);
    return _mm512_mask_sub_ps(gradient, _mm512_cmp_ps_mask(weights, zero, _CMP_LT_OQ), gradient, l1);
  }
};

// Where a gradient goes: 32 rows at a time to memory that stays in the cache, whence weights and moments
// are updated where they lie, in the order in which they do.
template <typename Rule>
class Learning {
 public:
  Learning(int64_t rows, int64_t columns, Numbers numbers, float* const* held)
      : rows_(rows), columns_(columns), shrinkage_(numbers), rule_(numbers + 3),
        gradient_(scratch<float, 2>(kSlab * columns)) {
    std::copy_n(held, Rule::kMoments + 1, held_);
  }

  Place at(int64_t row, int64_t column, bool) const {
    return {gradient_ + row % kSlab * columns_ + column, columns_, rows_ - row, columns_ - column};
  }

  void take(int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    const Learning learning = *this;  // which no store can reach
    const int64_t end = std::min(column + columns, columns_);
    for (int64_t each = row; each < std::min(row + rows, rows_); ++each) {
      const int64_t weights = each * columns_, gradient = each % kSlab * columns_;
      int64_t at = column;
      for (; at + kSide <= end; at += kSide) learning.update(weights + at, gradient + at, 0xffff);
      learning.update(weights + at, gradient + at, first_of_16(end - at));
    }
  }

 private:
  static constexpr int64_t kSlab = 2 * kSide;

  void update(int64_t at, int64_t gradient, __mmask16 present) const {
    float* const weights = held_[0] + at;
    __m512 moments[Rule::kMoments + 1];
    for (int each = 0; each < Rule::kMoments; ++each)
      moments[each] = _mm512_maskz_loadu_ps(present, held_[each + 1] + at);
    const __m512 old = _mm512_maskz_loadu_ps(present, weights);
    const __m512 whole = shrinkage_.penalized(_mm512_maskz_loadu_ps(present, gradient_ + gradient), old);
    const __m512 left = _mm512_fnmadd_ps(old, shrinkage_.decay, old);
    _mm512_mask_storeu_ps(weights, present, _mm512_sub_ps(left, rule_(whole, moments)));
    for (int each = 0; each < Rule::kMoments; ++each)
      _mm512_mask_storeu_ps(held_[each + 1] + at, present, moments[each]);
  }

  int64_t rows_, columns_;
  Shrinkage shrinkage_;
  Rule rule_;
  float* gradient_;
  float* held_[Rule::kMoments + 1];
};

// `held` are weights and moments. Of the numbers, three are the shrinkage's and the others the rule's.
template <typename Rule, ffi::DataType D>
void learn(ffi::Buffer<D> inputs, Images gradient, Numbers numbers, float* const* held) {
  const auto left = matrix(inputs, true);
  const auto right = matrix(gradient, true);
  multiply(left, right, Learning<Rule>(left.length(), right.length(), numbers, held));
}

// Each rule has its own number of moments.
template <ffi::DataType D>
void update(ffi::Buffer<D> inputs, Images gradient, Numbers numbers, float* const* held, int moments) {
  if (moments == Adam::kMoments)
    learn<Adam>(inputs, gradient, numbers, held);
  else if (moments == Rmsprop::kMoments)
    learn<Rmsprop>(inputs, gradient, numbers, held);
  else
    learn<Sgd>(inputs, gradient, numbers, held);
}

}  // namespace amx

#else

namespace amx {

template <ffi::DataType D>
void update(ffi::Buffer<D>, Images, Numbers, float* const*, int) {}

}  // namespace amx

#endif

}  // namespace
