// Updates the weights of a dense layer as Keras's optimizers do, while tiles sum up their gradient.
//
// The gradient never leaves the cache; weights and optimizer state are read and written once.

#pragma once

#include "matrices.h"

namespace {

using Scalars = const float*;  // hyperparameters, in the order in which they are read here

#ifdef BAKEOFF_TILES

namespace amx {

// 1 / value: an estimate of 14 bits and one Newton step, accurate to about one ulp.
inline __m512 inverse(__m512 value) {
  const __m512 guess = _mm512_rcp14_ps(value);
  return _mm512_mul_ps(guess, _mm512_fnmadd_ps(value, guess, _mm512_set1_ps(2)));
}

// The square root, likewise. NaN propagates.
inline __m512 root(__m512 value) {
  const __m512 some = _mm512_max_ps(_mm512_set1_ps(1e-37f), value);
  const __m512 guess = _mm512_rsqrt14_ps(some), half = _mm512_mul_ps(some, _mm512_set1_ps(0.5f));
  const __m512 error = _mm512_fnmadd_ps(_mm512_mul_ps(half, guess), guess, _mm512_set1_ps(1.5f));
  return _mm512_mul_ps(some, _mm512_mul_ps(guess, error));
}

// Each rule updates its optimizer state and returns what is subtracted from the weights.
struct Sgd {
  static constexpr int kStates = 0;
  __m512 rate;

  explicit Sgd(Scalars n) : rate(_mm512_set1_ps(n[0])) {}
  __m512 operator()(__m512 gradient, __m512*) const { return _mm512_mul_ps(gradient, rate); }
};

struct Rmsprop {
  static constexpr int kStates = 1;
  __m512 rate, fresh, epsilon;

  explicit Rmsprop(Scalars n)
      : rate(_mm512_set1_ps(n[0])), fresh(_mm512_set1_ps(n[1])), epsilon(_mm512_set1_ps(n[2])) {}
  __m512 operator()(__m512 gradient, __m512* square) const {
    const __m512 change = _mm512_fmsub_ps(gradient, gradient, *square);
    *square = _mm512_fmadd_ps(change, fresh, *square);
    const __m512 below = root(_mm512_add_ps(*square, epsilon));
    return _mm512_mul_ps(_mm512_mul_ps(gradient, rate), inverse(below));
  }
};

struct Adam {
  static constexpr int kStates = 2;
  __m512 rate, fresh, fresh_square, epsilon;

  explicit Adam(Scalars n)
      : rate(_mm512_set1_ps(n[0])), fresh(_mm512_set1_ps(n[1])),
        fresh_square(_mm512_set1_ps(n[2])), epsilon(_mm512_set1_ps(n[3])) {}
  __m512 operator()(__m512 gradient, __m512* states) const {
    states[0] = _mm512_fmadd_ps(_mm512_sub_ps(gradient, states[0]), fresh, states[0]);
    const __m512 change = _mm512_fmsub_ps(gradient, gradient, states[1]);
    states[1] = _mm512_fmadd_ps(change, fresh_square, states[1]);
    const __m512 below = _mm512_add_ps(root(states[1]), epsilon);
    return _mm512_mul_ps(_mm512_mul_ps(states[0], rate), inverse(below));
  }
};

// Regularization and weight decay: l1, l2, learning rate x weight decay.
struct Shrinkage {
  __m512 l1, twice_l2, decay;

  explicit Shrinkage(Scalars n)
      : l1(_mm512_set1_ps(n[0])), twice_l2(_mm512_set1_ps(2 * n[1])), decay(_mm512_set1_ps(n[2])) {}

  __m512 regularized(__m512 gradient, __m512 weights) const {
    const __m512 zero = _mm512_setzero_ps();
    gradient = _mm512_fmadd_ps(weights, twice_l2, gradient);
    gradient = _mm512_mask_add_ps(gradient, _mm512_cmp_ps_mask(weights, zero, _CMP_GT_OQ), gradient, l1);
    return _mm512_mask_sub_ps(gradient, _mm512_cmp_ps_mask(weights, zero, _CMP_LT_OQ), gradient, l1);
  }
};

// Receives the gradient 32 rows at a time, in a scratch buffer that stays in the cache, and updates
// these rows of the weights and of the optimizer state in place.
template <typename Rule>
class Learning {
 public:
  Learning(int64_t rows, int64_t columns, Scalars scalars, float* const* held)
      : rows_(rows), columns_(columns), shrinkage_(scalars), rule_(scalars + 3),
        gradient_(scratch<float, 2>(kSlab * columns)) {
    std::copy_n(held, Rule::kStates + 1, held_);
  }

  Destination at(int64_t row, int64_t column, bool) const {
    return {gradient_ + row % kSlab * columns_ + column, columns_, rows_ - row, columns_ - column};
  }

  void take(int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    const Learning learning = *this;  // a local copy: the compiler may assume that no store aliases it
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
    __m512 states[Rule::kStates + 1];
    for (int each = 0; each < Rule::kStates; ++each)
      states[each] = _mm512_maskz_loadu_ps(present, held_[each + 1] + at);
    const __m512 old = _mm512_maskz_loadu_ps(present, weights);
    const __m512 total = shrinkage_.regularized(_mm512_maskz_loadu_ps(present, gradient_ + gradient), old);
    const __m512 left = _mm512_fnmadd_ps(old, shrinkage_.decay, old);
    _mm512_mask_storeu_ps(weights, present, _mm512_sub_ps(left, rule_(total, states)));
    for (int each = 0; each < Rule::kStates; ++each)
      _mm512_mask_storeu_ps(held_[each + 1] + at, present, states[each]);
  }

  int64_t rows_, columns_;
  Shrinkage shrinkage_;
  Rule rule_;
  float* gradient_;
  float* held_[Rule::kStates + 1];
};

// held : weights, then optimizer state
// scalars : three of Shrinkage, then those of the rule
template <typename Rule, ffi::DataType D>
void learn(ffi::Buffer<D> inputs, Images gradient, Scalars scalars, float* const* held) {
  const auto left = matrix(inputs, true);
  const auto right = matrix(gradient, true);
  multiply(left, right, Learning<Rule>(left.length(), right.length(), scalars, held));
}

// The number of arrays of optimizer state says which rule it is.
template <ffi::DataType D>
void update(ffi::Buffer<D> inputs, Images gradient, Scalars scalars, float* const* held, int states) {
  if (states == Adam::kStates)
    learn<Adam>(inputs, gradient, scalars, held);
  else if (states == Rmsprop::kStates)
    learn<Rmsprop>(inputs, gradient, scalars, held);
  else
    learn<Sgd>(inputs, gradient, scalars, held);
}

}  // namespace amx

#else

namespace amx {

template <ffi::DataType D>
void update(ffi::Buffer<D>, Images, Scalars, float* const*, int) {}

}  // namespace amx

#endif

}  // namespace
