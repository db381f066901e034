// Max pooling and its gradient, which goes to the first of equal maxima.
//
// Images are (batch, height, width, channels), padded already.

#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "floats.h"

namespace {
namespace pool {

constexpr int64_t kChannels = floats::kWidth;  // at a time, one in each element of a vector

using Offsets8 = ffi::Buffer<ffi::U8>;  // of the maximum in its window, counted row by row

struct Windows {
  int64_t batch, height, width, channels, oh, ow, kh, kw, sh, sw;

  Windows(Images::Dimensions images, Images::Dimensions pooled, Strides window, Strides strides)
      : batch(images[0]), height(images[1]), width(images[2]), channels(images[3]), oh(pooled[1]),
        ow(pooled[2]), kh(window[0]), kw(window[1]), sh(strides[0]), sw(strides[1]) {}

  int64_t image() const { return height * width * channels; }
  int64_t pooled() const { return oh * ow * channels; }

  // Call `visit` for every output pixel: index of its window's first value in the image, and of its
  // own first value in the output.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (int64_t y = 0; y < oh; ++y)
      for (int64_t x = 0; x < ow; ++x)
        visit((y * sh * width + x * sw) * channels, (y * ow + x) * channels);
  }

  // Call `visit` for every offset in a window: counted row by row, and in floats of the image.
  template <typename Visit>
  void offsets(Visit&& visit) const {
    for (int64_t i = 0; i < kh; ++i)
      for (int64_t j = 0; j < kw; ++j) visit(int32_t(i * kw + j), (i * width + j) * channels);
  }
};

// As wide as the processor's own: wider ones are compared element by element.
using Floats = floats::Vector;
typedef int32_t Ints __attribute__((vector_size(4 * kChannels), aligned(4), may_alias));
typedef uint8_t Bytes __attribute__((vector_size(kChannels), aligned(1), may_alias));
using Whole = std::integral_constant<int, kChannels>;  // as many elements as a vector has

// Load or store `count` elements of a vector, zeros beyond; a whole vector is moved as one. Vectors are
// named in full, since a template's parameter would lose the type's alignment.
template <typename Count>
inline void load(Floats& vector, const float* from, Count count) {
  if constexpr (std::is_same_v<Count, Whole>) {
    vector = *reinterpret_cast<const Floats*>(from);
  } else {
    float held[kChannels];
    floats::load_part(held, from, count);
    vector = *reinterpret_cast<const Floats*>(held);
  }
}

template <typename Count>
inline void load(Bytes& vector, const uint8_t* from, Count count) {
  if constexpr (std::is_same_v<Count, Whole>) {
    vector = *reinterpret_cast<const Bytes*>(from);
  } else {
    uint8_t held[kChannels];
    floats::load_part(held, from, count);
    vector = *reinterpret_cast<const Bytes*>(held);
  }
}

template <typename Count>
inline void store(const Floats& vector, float* to, Count count) {
  if constexpr (std::is_same_v<Count, Whole>) {
    *reinterpret_cast<Floats*>(to) = vector;
  } else {
    float held[kChannels];
    *reinterpret_cast<Floats*>(held) = vector;
    floats::store_part(held, to, count);
  }
}

template <typename Count>
inline void store(const Bytes& vector, uint8_t* to, Count count) {
  if constexpr (std::is_same_v<Count, Whole>) {
    *reinterpret_cast<Bytes*>(to) = vector;
  } else {
    uint8_t held[kChannels];
    *reinterpret_cast<Bytes*>(held) = vector;
    floats::store_part(held, to, count);
  }
}

// Maximum of a window; NaN propagates.
template <typename Count>
inline void pool_window(const Windows& w, const float* from, float* to, uint8_t* first, Count count) {
  Floats largest, value;
  Ints position = {};
  load(largest, from, count);
  w.offsets([&](int32_t index, int64_t offset) {
    load(value, from + offset, count);
    const Ints larger = (value > largest) | (value != value);
    largest = larger ? value : largest;
    position = larger ? Ints{} + index : position;
  });
  store(largest, to, count);
  store(__builtin_convertvector(position, Bytes), first, count);
}

template <typename Count>
inline void gradient_window(const Windows& w, const float* gradient, const uint8_t* first, float* to,
                         Count count) {
  Floats whole, sum;
  Bytes bytes;
  load(whole, gradient, count);
  load(bytes, first, count);
  const Ints position = __builtin_convertvector(bytes, Ints);
  w.offsets([&](int32_t index, int64_t offset) {
    load(sum, to + offset, count);
    sum += position == index ? whole : Floats{};
    store(sum, to + offset, count);
  });
}

// Call `visit` with blocks of channels: the first one, and how many.
template <typename Visit>
inline void each_block(int64_t channels, Visit&& visit) {
  int64_t channel = 0;
  for (; channel + kChannels <= channels; channel += kChannels)
    visit(channel, Whole());
  if (channel < channels) visit(channel, int(channels - channel));
}

void forward(const Windows& w, const float* images, float* pooled, uint8_t* first) {
  for (int64_t b = 0; b < w.batch; ++b, images += w.image(), pooled += w.pooled(), first += w.pooled())
    w.each([&](int64_t window, int64_t output) {
      each_block(w.channels, [&](int64_t c, auto count) {
        pool_window(w, images + window + c, pooled + output + c, first + output + c, count);
      });
    });
}

void gradient(const Windows& w, const float* gradient, const uint8_t* first, float* images) {
  for (int64_t b = 0; b < w.batch; ++b, images += w.image(), gradient += w.pooled(), first += w.pooled()) {
    std::fill_n(images, w.image(), 0.0f);
    w.each([&](int64_t window, int64_t output) {
      each_block(w.channels, [&](int64_t c, auto count) {
        gradient_window(w, gradient + output + c, first + output + c, images + window + c, count);
      });
    });
  }
}

}  // namespace pool
}  // namespace
