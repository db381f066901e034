// Updates the weights of a dense layer as Keras's optimizers do, while their gradient is summed up.
//
// The gradient never goes to memory; weights and optimizer state are read and written once.

#pragma once

#if defined(__AVX__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

#include "floats.h"
#include "matrices.h"

namespace {
namespace updates {

using floats::Array;
using floats::kWidth;
using floats::Vector;
using Scalars = const float*;  // hyperparameters, in the order in which they are read here

#if defined(__AVX512F__)
// An estimate of 14 bits and one Newton step, accurate to about one ulp: Intel's processors divide 16
// floats more slowly. NaN propagates: where one value is NaN, the maximum is the second.
inline Vector inverse(Vector value) {
  const Vector guess = _mm512_rcp14_ps(value);
  return guess * (2 - value * guess);
}
inline Vector root(Vector value) {
  const Vector some = _mm512_max_ps(_mm512_set1_ps(1e-37f), value), guess = _mm512_rsqrt14_ps(some);
  return some * (guess * (1.5f - 0.5f * some * guess * guess));
}
#elif defined(__AVX__)
inline Vector inverse(Vector value) { return 1 / value; }
inline Vector root(Vector value) { return _mm256_sqrt_ps(value); }
#else
inline Vector inverse(Vector value) { return 1 / value; }
inline Vector root(Vector value) { return vsqrtq_f32(value); }
#endif

// Each rule updates its optimizer state and returns what is subtracted from the weights.
struct Sgd {
  static constexpr int kStates = 0;
  float rate;

  explicit Sgd(Scalars n) : rate(n[0]) {}
  Vector operator()(Vector gradient, Vector*) const { return gradient * rate; }
};

struct Rmsprop {
  static constexpr int kStates = 1;
  float rate, fresh, epsilon;

  explicit Rmsprop(Scalars n) : rate(n[0]), fresh(n[1]), epsilon(n[2]) {}
  Vector operator()(Vector gradient, Vector* square) const {
    *square += (gradient * gradient - *square) * fresh;
    return gradient * rate * inverse(root(*square + epsilon));
  }
};

struct Adam {
  static constexpr int kStates = 2;
  float rate, fresh, fresh_square, epsilon;

  explicit Adam(Scalars n) : rate(n[0]), fresh(n[1]), fresh_square(n[2]), epsilon(n[3]) {}
  Vector operator()(Vector gradient, Vector* states) const {
    states[0] += (gradient - states[0]) * fresh;
    states[1] += (gradient * gradient - states[1]) * fresh_square;
    return states[0] * rate * inverse(root(states[1]) + epsilon);
  }
};

// Regularization and weight decay: l1, l2, learning rate x weight decay.
struct Shrinkage {
  float l1, twice_l2, decay;

  explicit Shrinkage(Scalars n) : l1(n[0]), twice_l2(2 * n[1]), decay(n[2]) {}

  Vector regularized(Vector gradient, Vector weights) const {
    gradient += weights * twice_l2;
    if (l1 == 0) return gradient;
    return gradient + l1 * __builtin_convertvector((weights < 0) - (weights > 0), Vector);
  }
};

// Takes the gradient a vector at a time, and updates these weights and their optimizer state in place.
//
// held : weights, then optimizer state
// scalars : three of Shrinkage, then those of the rule
template <typename Rule>
class Learner {
 public:
  Learner(Scalars scalars, float* const* held) : shrinkage_(scalars), rule_(scalars + 3) {
    std::copy_n(held, kArrays, held_);
  }

  // Ask for what `take` will need there soon.
  void expect(int64_t at) const {
    for (int each = 0; each < kArrays; ++each) __builtin_prefetch(held_[each] + at, 1);
  }

  // present : of the vector's values, those that exist
  void take(int64_t at, const Vector& gradient, int64_t present) const {
    if (present >= kWidth) {
      float* arrays[kArrays];
      for (int each = 0; each < kArrays; ++each) arrays[each] = held_[each] + at;
      return update(gradient, arrays);
    }
    float some[kArrays][kWidth] = {}, *arrays[kArrays];
    for (int each = 0; each < kArrays; ++each) {
      arrays[each] = some[each];
      std::copy_n(held_[each] + at, present, some[each]);
    }
    update(gradient, arrays);
    for (int each = 0; each < kArrays; ++each) std::copy_n(some[each], present, held_[each] + at);
  }

 private:
  static constexpr int kArrays = Rule::kStates + 1;

  void update(const Vector& gradient, float* const* arrays) const {
    Vector states[kArrays];
    for (int each = 1; each < kArrays; ++each)
      states[each - 1] = *reinterpret_cast<const Vector*>(arrays[each]);
    Vector& weights = *reinterpret_cast<Vector*>(arrays[0]);
    const Vector old = weights, change = rule_(shrinkage_.regularized(gradient, old), states);
    weights = old - old * shrinkage_.decay - change;
    for (int each = 1; each < kArrays; ++each)
      *reinterpret_cast<Vector*>(arrays[each]) = states[each - 1];
  }

  Shrinkage shrinkage_;
  Rule rule_;
  float* held_[kArrays];
};

// ── by vectors ──────────────────────────────────────────────────────────────────────────────────

// The inputs of a dense layer, (batch, rows), and the gradient of its products, (batch, columns).
struct Layer {
  const float *inputs, *gradient;
  int64_t batch, rows, columns;
};

// Sum up P rows of the weights' gradient and Q vectors of columns in registers, and update these.
template <int P, int Q, typename Rule>
void learn_block(const Layer& layer, int64_t row, int64_t column, const float* packed,
                 const Learner<Rule>& to) {
  const int64_t at = row * layer.columns + column;
  for (int p = 0; p < P; ++p)
    for (int q = 0; q < Q; ++q) to.expect(at + p * layer.columns + q * kWidth);
  Vector sums[P][Q] = {};
  const float* run = layer.inputs + row;
  for (int64_t b = 0; b < layer.batch; ++b, run += layer.rows, packed += Q * kWidth) {
    Vector columns[Q];
    for (int q = 0; q < Q; ++q) columns[q] = reinterpret_cast<const Vector*>(packed)[q];
    for (int p = 0; p < P; ++p)
      for (int q = 0; q < Q; ++q) sums[p][q] += run[p] * columns[q];
  }
  for (int p = 0; p < P; ++p)
    for (int q = 0; q < Q; ++q)
      to.take(at + p * layer.columns + q * kWidth, sums[p][q], layer.columns - column - q * kWidth);
}

template <typename Rule>
void learn(const Layer& layer, const Learner<Rule>& to) {
  const Array packed = floats::pack(layer.batch, layer.columns, layer.gradient, layer.columns, 1);
  floats::each_group(layer.batch, layer.columns, [&](auto q, int64_t column, int64_t begin) {
    floats::blocks<floats::rows_of(q)>(layer.rows, [&](auto p, int64_t row) {
      learn_block<p, q>(layer, row, column, packed.data() + begin, to);
    });
  });
}

// ── by tiles ────────────────────────────────────────────────────────────────────────────────────

#ifdef BAKEOFF_TILES

// Receives the gradient 32 rows at a time, in a scratch buffer that stays in the cache.
template <typename Rule>
class Slab {
 public:
  Slab(int64_t rows, int64_t columns, const Learner<Rule>& to)
      : rows_(rows), columns_(columns), step_(floats::padded(columns) + kWidth), to_(to),
        gradient_(amx::scratch<float, 2>(kRows * step_)) {}

  amx::Destination at(int64_t row, int64_t column, bool) const {
    return {gradient_ + row % kRows * step_ + column, step_, rows_ - row, step_ - column};
  }

  void take(int64_t row, int64_t rows, int64_t column, int64_t columns) const {
    const Learner<Rule> to = to_;  // a local copy: the compiler may assume that no store aliases it
    const int64_t end = std::min(column + columns, columns_);
    for (int64_t each = row; each < std::min(row + rows, rows_); ++each) {
      const float* gradient = gradient_ + each % kRows * step_;
      for (int64_t at = column; at < end; at += kWidth) {
        to.take(each * columns_ + at, *reinterpret_cast<const Vector*>(gradient + at), end - at);
      }
    }
  }

 private:
  static constexpr int64_t kRows = 2 * amx::kSide;

  int64_t rows_, columns_, step_;  // floats from one row to the next: a power of 2 would meet in the cache
  const Learner<Rule>& to_;
  float* gradient_;
};

template <typename Rule, ffi::DataType D>
void learn_by_tiles(ffi::Buffer<D> inputs, Images gradient, const Learner<Rule>& to) {
  const auto left = amx::matrix(inputs, true);
  const auto right = amx::matrix(gradient, true);
  amx::multiply(left, right, Slab<Rule>(left.length(), right.length(), to));
}

#else

template <typename Rule, ffi::DataType D>
void learn_by_tiles(ffi::Buffer<D>, Images, const Learner<Rule>&) {}

#endif

template <typename Rule, ffi::DataType D>
void learn(ffi::Buffer<D> inputs, Images gradient, const Learner<Rule>& to) {
  if constexpr (D == ffi::F32)
    if (!amx::permitted())
      return learn({inputs.typed_data(), gradient.typed_data(), inputs.dimensions()[0],
                    inputs.dimensions()[1], gradient.dimensions()[1]}, to);
  learn_by_tiles(inputs, gradient, to);
}

// The number of arrays of optimizer state says which rule it is.
template <ffi::DataType D>
void update(ffi::Buffer<D> inputs, Images gradient, Scalars scalars, float* const* held, int states) {
  if (states == Adam::kStates)
    learn(inputs, gradient, Learner<Adam>(scalars, held));
  else if (states == Rmsprop::kStates)
    learn(inputs, gradient, Learner<Rmsprop>(scalars, held));
  else
    learn(inputs, gradient, Learner<Sgd>(scalars, held));
}

}  // namespace updates
}  // namespace
