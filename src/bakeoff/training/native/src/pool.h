// Max pooling and its gradient; the gradient goes to the first of the largest.
//
// Images are (batch, height, width, channels), padded already.

#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "shape.h"

namespace {
namespace pool {

constexpr int64_t kLanes = 16;  // channels at a time

using Places = ffi::Buffer<ffi::U8>;  // in a window: which was the first of the largest

struct Windows {
  int64_t batch, height, width, channels, oh, ow, kh, kw, sh, sw;

  Windows(Images::Dimensions images, Images::Dimensions pooled, Strides window, Strides strides)
      : batch(images[0]), height(images[1]), width(images[2]), channels(images[3]), oh(pooled[1]),
        ow(pooled[2]), kh(window[0]), kw(window[1]), sh(strides[0]), sw(strides[1]) {}

  int64_t image() const { return height * width * channels; }
  int64_t pooled() const { return oh * ow * channels; }

  // Call `visit` for every output pixel: where its window begins in an image, where it is itself.
  template <typename Visit>
  void each(Visit&& visit) const {
    for (int64_t y = 0; y < oh; ++y)
      for (int64_t x = 0; x < ow; ++x)
        visit((y * sh * width + x * sw) * channels, (y * ow + x) * channels);
  }

  // Call `visit` for every place in a window: its number, and where it is from the first.
  template <typename Visit>
  void places(Visit&& visit) const {
    for (int64_t i = 0; i < kh; ++i)
      for (int64_t j = 0; j < kw; ++j) visit(int32_t(i * kw + j), (i * width + j) * channels);
  }
};

typedef float Lanes __attribute__((vector_size(4 * kLanes)));
typedef int32_t Numbers __attribute__((vector_size(4 * kLanes)));
typedef uint8_t Bytes __attribute__((vector_size(kLanes)));

// Some lanes, of a number known to the compiler where it is all of them; zeros beyond.
template <typename Vector, typename T, typename Count>
inline void load(Vector& vector, const T* from, Count lanes) {
  vector = Vector{};
  std::memcpy(&vector, from, lanes * sizeof(T));
}

template <typename Vector, typename T, typename Count>
inline void store(const Vector& vector, T* to, Count lanes) {
  std::memcpy(to, &vector, lanes * sizeof(T));
}

// The largest of a window. What is no number stays.
template <typename Count>
inline void pool_window(const Windows& w, const float* from, float* to, uint8_t* first, Count lanes) {
  Lanes largest, value;
  Numbers place = {};
  load(largest, from, lanes);
  w.places([&](int32_t number, int64_t offset) {
    load(value, from + offset, lanes);
    const Numbers larger = (value > largest) | (value != value);
    largest = larger ? value : largest;
    place = larger ? Numbers{} + number : place;
  });
  store(largest, to, lanes);
  store(__builtin_convertvector(place, Bytes), first, lanes);
}

template <typename Count>
inline void gradient_window(const Windows& w, const float* gradient, const uint8_t* first, float* to,
                         Count lanes) {
  Lanes whole, sum;
  Bytes places;
  load(whole, gradient, lanes);
  load(places, first, lanes);
  const Numbers place = __builtin_convertvector(places, Numbers);
  w.places([&](int32_t number, int64_t offset) {
    load(sum, to + offset, lanes);
    sum += place == number ? whole : Lanes{};
    store(sum, to + offset, lanes);
  });
}

// Call `visit` with the channels: the first of some, and how many.
template <typename Visit>
inline void each_lanes(int64_t channels, Visit&& visit) {
  int64_t channel = 0;
  for (; channel + kLanes <= channels; channel += kLanes)
    visit(channel, std::integral_constant<size_t, kLanes>());
  if (channel < channels) visit(channel, size_t(channels - channel));
}

void forward(const Windows& w, const float* images, float* pooled, uint8_t* first) {
  for (int64_t b = 0; b < w.batch; ++b, images += w.image(), pooled += w.pooled(), first += w.pooled())
    w.each([&](int64_t window, int64_t output) {
      each_lanes(w.channels, [&](int64_t c, auto lanes) {
        pool_window(w, images + window + c, pooled + output + c, first + output + c, lanes);
      });
    });
}

void gradient(const Windows& w, const float* gradient, const uint8_t* first, float* images) {
  for (int64_t b = 0; b < w.batch; ++b, images += w.image(), gradient += w.pooled(), first += w.pooled()) {
    std::fill_n(images, w.image(), 0.0f);
    w.each([&](int64_t window, int64_t output) {
      each_lanes(w.channels, [&](int64_t c, auto lanes) {
        gradient_window(w, gradient + output + c, first + output + c, images + window + c, lanes);
      });
    });
  }
}

}  // namespace pool
}  // namespace
