// Both gradients of a depthwise convolution, whose channels each have a kernel of their own.
//
// Images are (batch, height, width, channels), padded already; the kernel (height, width, channels).

#pragma once

#include "pool.h"

namespace {
namespace depthwise {

using pool::Floats;
using pool::Windows;

// So many vectors of zeros in memory.
class Zeros {
 public:
  explicit Zeros(int64_t count) : values_(count * pool::kChannels, 0.0f) {}
  Floats* data() { return reinterpret_cast<Floats*>(values_.data()); }
  Floats& operator[](int64_t index) { return data()[index]; }

 private:
  floats::Array values_;
};

// Add, for every offset in the window, an image's pixels there times the gradient: `count` channels.
template <int Height, int Width, typename Count>
void add_image(const Windows& w, const float* image, const float* gradient, Floats* total,
               Count count) {
  Floats sums[Height * Width] = {};  // in registers
  w.each([&](int64_t window, int64_t output) {
    Floats factor, value;
    pool::load(factor, gradient + output, count);
    for (int i = 0; i < Height; ++i)
      for (int j = 0; j < Width; ++j) {
        pool::load(value, image + window + (i * w.width + j) * w.channels, count);
        sums[i * Width + j] += value * factor;
      }
  });
  for (int k = 0; k < Height * Width; ++k) total[k] += sums[k];
}

// The same for a window of any size, with sums in memory.
template <typename Count>
void add_image_any(const Windows& w, const float* image, const float* gradient, Floats* total,
                   Count count) {
  Zeros sums(w.kh * w.kw);
  w.each([&](int64_t window, int64_t output) {
    Floats factor, value;
    pool::load(factor, gradient + output, count);
    w.offsets([&](int32_t index, int64_t offset) {
      pool::load(value, image + window + offset, count);
      sums[index] += value * factor;
    });
  });
  for (int64_t k = 0; k < w.kh * w.kw; ++k) total[k] += sums[k];
}

void kernel_gradient(const Windows& w, const float* images, const float* gradient, float* kernel) {
  pool::each_block(w.channels, [&](int64_t c, auto count) {
    Zeros total(w.kh * w.kw);
    for (int64_t b = 0; b < w.batch; ++b) {
      const float* image = images + b * w.image() + c;
      const float* above = gradient + b * w.pooled() + c;
      if (w.kh == 3 && w.kw == 3)
        add_image<3, 3>(w, image, above, total.data(), count);
      else
        add_image_any(w, image, above, total.data(), count);
    }
    for (int64_t k = 0; k < w.kh * w.kw; ++k)
      pool::store(total[k], kernel + k * w.channels + c, count);
  });
}

// Every output pixel adds its gradient times the kernel to its window.
void image_gradient(const Windows& w, const float* gradient, const float* kernel, float* images) {
  for (int64_t b = 0; b < w.batch; ++b, images += w.image(), gradient += w.pooled()) {
    std::fill_n(images, w.image(), 0.0f);
    pool::each_block(w.channels, [&](int64_t c, auto count) {
      Zeros weights(w.kh * w.kw);
      w.offsets([&](int32_t k, int64_t) { pool::load(weights[k], kernel + k * w.channels + c, count); });
      w.each([&](int64_t window, int64_t output) {
        Floats factor, sum;
        pool::load(factor, gradient + output + c, count);
        w.offsets([&](int32_t k, int64_t offset) {
          float* to = images + window + offset + c;
          pool::load(sum, to, count);
          sum += factor * weights[k];
          pool::store(sum, to, count);
        });
      });
    });
  }
}

}  // namespace depthwise
}  // namespace
