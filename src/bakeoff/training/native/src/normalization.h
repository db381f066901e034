// Batch normalization in training, the activation after it, and the gradients of both.
//
// Values are rows of channels. Both directions read them twice: once for sums by channel, once to
// write the result.

#pragma once

#include <cmath>
#include <numeric>
#include <vector>

#include "pool.h"

namespace {
namespace normalization {

using floats::Array;
using floats::kWidth;
typedef floats::Vector Vector;
typedef int32_t Ints __attribute__((vector_size(4 * kWidth)));

enum Activation : int64_t { kLinear, kRelu, kElu };

constexpr int kColumns = 4;             // vectors of columns whose sums are in registers
constexpr int64_t kRows = 64;           // rows summed up in float32 before they are added in float64
constexpr int64_t kNear = 16 * kWidth;  // floats of rows that are read before the next ones
constexpr int64_t kSampled = 64;        // rows whose mean is subtracted before squares are summed up

// Rows of channels as rows of whole vectors: `fold` of them side by side, `wide` floats.
struct Layout {
  int64_t size, channels, fold, wide;

  Layout(Images::Dimensions of) : size(1), channels(of[of.size() - 1]) {
    for (const int64_t each : of) size *= each;
    fold = kWidth / std::gcd(channels, int64_t(kWidth));
    while (fold * channels < kColumns * kWidth) fold *= 2;
    wide = fold * channels;
  }

  int64_t rows() const { return size / channels; }
  int64_t whole() const { return size / wide; }

  // Values by channel, as often as there are rows side by side.
  Array repeated(const std::vector<double>& values) const {
    Array made(wide);
    for (int64_t c = 0; c < wide; ++c) made[c] = float(values[c % channels]);
    return made;
  }
  Array repeated(const float* values) const {
    return repeated(std::vector<double>(values, values + channels));
  }
};

using pool::Whole;

// Call `visit` for every vector: its index, its column, its number of values.
template <typename Visit>
void each_vector(const Layout& l, Visit&& visit) {
  const int64_t last = l.whole() * l.wide;
  for (int64_t row = 0; row < l.whole(); ++row)
    for (int64_t c = 0; c < l.wide; c += kWidth) visit(row * l.wide + c, c, Whole());
  for (int64_t i = last; i < l.size; i += kWidth)
    visit(i, i - last, int(std::min<int64_t>(kWidth, l.size - i)));
}

// Add the terms of some whole rows to sums by column: `terms(index, column, count, one, other)` adds
// those of a vector of `count` values to two sums.
template <typename Terms>
void add_rows(const Layout& l, int64_t first, int64_t end, Terms&& terms, Array& ones, Array& others) {
  for (int64_t c = 0; c < l.wide; c += kColumns * kWidth)
    floats::constant<kColumns>((l.wide - c) / kWidth, [&](auto columns) {
      Vector one[columns], other[columns];
      for (int k = 0; k < columns; ++k) {
        pool::load(one[k], ones.data() + c + k * kWidth, Whole());
        pool::load(other[k], others.data() + c + k * kWidth, Whole());
      }
      for (int64_t row = first; row < end; ++row)
        for (int k = 0; k < columns; ++k)
          terms(row * l.wide + c + k * kWidth, c + k * kWidth, Whole(), one[k], other[k]);
      for (int k = 0; k < columns; ++k) {
        pool::store(one[k], ones.data() + c + k * kWidth, Whole());
        pool::store(other[k], others.data() + c + k * kWidth, Whole());
      }
    });
}

// Sum up two terms of every value by channel.
template <typename Terms>
void sum(const Layout& l, Terms&& terms, std::vector<double>& first, std::vector<double>& second) {
  first.assign(l.channels, 0.0);
  second.assign(l.channels, 0.0);
  Array ones(l.wide), others(l.wide);
  const auto flush = [&] {
    for (int64_t c = 0; c < l.wide; ++c) {
      first[c % l.channels] += ones[c];
      second[c % l.channels] += others[c];
    }
    std::fill(ones.begin(), ones.end(), 0.0f);
    std::fill(others.begin(), others.end(), 0.0f);
  };
  const bool narrow = l.wide <= kColumns * kWidth;  // read as it lies anyway
  const int64_t near = narrow ? kRows : std::clamp<int64_t>(kNear / l.wide, 1, kRows);
  for (int64_t block = 0; block < l.whole(); block += kRows) {
    const int64_t end = std::min(block + kRows, l.whole());
    for (int64_t row = block; row < end; row += near)
      add_rows(l, row, std::min(row + near, end), terms, ones, others);
    flush();
  }
  for (int64_t i = l.whole() * l.wide, c = 0; i < l.size; i += kWidth, c += kWidth) {
    const int count = int(std::min<int64_t>(kWidth, l.size - i));
    Vector one = {}, other = {};
    terms(i, c, count, one, other);
    pool::store(one, ones.data() + c, count);
    pool::store(other, others.data() + c, count);
  }
  flush();
}

inline const Vector& at(const float* values, int64_t column) {
  return *reinterpret_cast<const Vector*>(values + column);
}

// Held in a register: a load whose value is masked at once would wait for the mask.
inline void hold(Vector& value) {
#if defined(__x86_64__)
  asm("" : "+v"(value));
#elif defined(__aarch64__)
  asm("" : "+w"(value));
#endif
}

// e^x − 1 for x at most 0, by Cephes's polynomial; to 2 units in the last place.
inline Vector exponential_less_one(Vector x) {
  x = x > -87.0f ? x : Vector{} - 87.0f;
  const Vector shifted = x * 1.44269504f + 12582912.0f;  // rounds to whole numbers
  const Vector n = shifted - 12582912.0f;
  const Vector r = x - n * 0.693359375f + n * 2.12194440e-4f;
  const Vector p = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r +
                     4.1665795894e-2f) * r + 1.6666665459e-1f) * r + 5.0000001201e-1f;
  const Vector power = (Vector)((__builtin_convertvector(n, Ints) + 127) << 23);  // 2ⁿ
  return (power - 1.0f) + power * (r + r * r * p);
}

template <Activation A>
inline Vector activated(const Vector& z) {
  if constexpr (A == kRelu) return z < 0.0f ? Vector{} : z;  // NaN propagates
  if constexpr (A == kElu) return z < 0.0f ? exponential_less_one(z) : z;
  return z;
}

// The gradient before the activation, whose input was `z`.
template <Activation A>
inline Vector masked(const Vector& gradient, const Vector& z) {
  if constexpr (A == kRelu) return z > 0.0f ? gradient : Vector{};
  if constexpr (A == kElu)
    return z > 0.0f ? gradient : gradient * (exponential_less_one(z) + 1.0f);
  return gradient;
}

template <typename Visit>
void with_activation(int64_t activation, Visit&& visit) {
  if (activation == kRelu) return visit(std::integral_constant<Activation, kRelu>());
  if (activation == kElu) return visit(std::integral_constant<Activation, kElu>());
  visit(std::integral_constant<Activation, kLinear>());
}

// The mean of some rows, spread over all: near enough to that of all for squares not to cancel.
std::vector<double> sampled_mean(const Layout& l, const float* values) {
  const int64_t rows = l.rows(), count = std::min(rows, kSampled);
  std::vector<double> mean(l.channels, 0.0);
  for (int64_t s = 0; s < count; ++s) {
    const float* row = values + s * rows / count * l.channels;
    for (int64_t c = 0; c < l.channels; ++c) mean[c] += row[c];
  }
  for (double& each : mean) each = float(each / count);
  return mean;
}

// What is done to every channel: (value − mean)·scale + offset.
class Channels {
 public:
  Channels(const Layout& l, const float* mean, const float* variance, const float* gamma,
           const float* beta, float epsilon)
      : means_(l.repeated(mean)), offsets_(l.repeated(beta)) {
    std::vector<double> scales(l.channels);
    for (int64_t c = 0; c < l.channels; ++c)
      scales[c] = gamma[c] / std::sqrt(double(variance[c]) + epsilon);
    scales_ = l.repeated(scales);
    this->mean = means_.data();
    scale = scales_.data();
    offset = offsets_.data();
  }

  const float *mean, *scale, *offset;  // by column

 private:
  Array means_, scales_, offsets_;
};

void forward(const Layout& l, const float* values, const float* gamma, const float* beta,
             float epsilon, int64_t activation, float* out, float* mean, float* variance) {
  const std::vector<double> near = sampled_mean(l, values);
  const Array origin = l.repeated(near);
  std::vector<double> sums, squares;
  sum(l, [values, from = origin.data()](int64_t index, int64_t column, auto count, Vector& one,
                                        Vector& other) {
    Vector value;
    pool::load(value, values + index, count);
    value -= at(from, column);
    one += value;
    other += value * value;
  }, sums, squares);
  for (int64_t c = 0; c < l.channels; ++c) {
    const double from_near = sums[c] / l.rows();
    mean[c] = float(near[c] + from_near);
    const double found = squares[c] / l.rows() - from_near * from_near;
    variance[c] = float(found < 0.0 ? 0.0 : found);
  }
  const Channels by(l, mean, variance, gamma, beta, epsilon);
  with_activation(activation, [&](auto kind) {
    constexpr Activation applied = kind;
    each_vector(l, [=, mean = by.mean, scale = by.scale, offset = by.offset](
                       int64_t index, int64_t column, auto count) {
      Vector value;
      pool::load(value, values + index, count);
      value = (value - at(mean, column)) * at(scale, column) + at(offset, column);
      pool::store(activated<applied>(value), out + index, count);
    });
  });
}

void gradients(const Layout& l, const float* values, const float* gradient, const float* gamma,
               const float* beta, const float* mean, const float* variance, float epsilon,
               int64_t activation, float* out, float* gamma_gradient, float* beta_gradient) {
  const Channels by(l, mean, variance, gamma, beta, epsilon);
  with_activation(activation, [&](auto kind) {
    constexpr Activation applied = kind;
    const float *scale = by.scale, *offset = by.offset, *center = by.mean;
    const auto load = [=](int64_t index, int64_t column, auto count, Vector& value, Vector& above) {
      pool::load(value, values + index, count);
      pool::load(above, gradient + index, count);
      hold(above);
      value -= at(center, column);
      above = masked<applied>(above, value * at(scale, column) + at(offset, column));
    };
    std::vector<double> sums, products;
    sum(l, [load](int64_t index, int64_t column, auto count, Vector& one, Vector& other) {
      Vector value, above;
      load(index, column, count, value, above);
      one += above;
      other += above * value;
    }, sums, products);
    std::vector<double> slopes(l.channels), constants(l.channels);
    for (int64_t c = 0; c < l.channels; ++c) {
      const double inverse = 1.0 / std::sqrt(double(variance[c]) + epsilon);
      beta_gradient[c] = float(sums[c]);
      gamma_gradient[c] = float(products[c] * inverse);
      slopes[c] = -gamma[c] * inverse * inverse * inverse * products[c] / l.rows();
      constants[c] = -gamma[c] * inverse * sums[c] / l.rows();
    }
    const Array by_value = l.repeated(slopes), fixed = l.repeated(constants);
    each_vector(l, [=, slope = by_value.data(), constant = fixed.data()](
                       int64_t index, int64_t column, auto count) {
      Vector value, above;
      load(index, column, count, value, above);
      above = above * at(scale, column) + (value * at(slope, column) + at(constant, column));
      pool::store(above, out + index, count);
    });
  });
}

}  // namespace normalization
}  // namespace
