// Small convolutions and a normalization by this library against their definitions: run in a process of
// its own before the library is used, so that what the processor cannot run ends there.

#pragma once

#include <cmath>
#include <vector>

#include "amx.h"
#include "floats.h"
#include "normalization.h"
#include "shape.h"
#include "winograd.h"

namespace {
namespace self_test {

constexpr int kPassed = 0, kWrong = 1, kNotPermitted = 2;

// Values in [-1, 1), the same on every machine.
std::vector<float> values(int64_t n, uint32_t seed) {
  std::vector<float> made(n);
  for (float& each : made) {
    seed = seed * 1664525u + 1013904223u;
    each = float(seed >> 8) / float(1 << 23) - 1.0f;
  }
  return made;
}

bool is_near(const std::vector<float>& found, const std::vector<double>& expected) {
  for (size_t i = 0; i < found.size(); ++i)
    if (!(std::abs(found[i] - expected[i]) <= 1e-4)) return false;
  return true;
}

// Call `visit` with the indices of a pixel, a weight and an output of every product.
template <typename Visit>
void each_product(const Shape& s, Visit&& visit) {
  int64_t output = 0;
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t y = 0; y < s.oh; ++y)
      for (int64_t x = 0; x < s.ow; ++x)
        for (int64_t f = 0; f < s.filters; ++f, ++output)
          for (int64_t i = 0; i < s.kh; ++i)
            for (int64_t j = 0; j < s.kw; ++j)
              for (int64_t c = 0; c < s.channels; ++c)
                visit(b * s.image() + (y * s.sh + i) * s.line() + (x * s.sw + j) * s.channels + c,
                      ((i * s.kw + j) * s.channels + c) * s.filters + f, output);
}

bool convolves(const Shape& s, Kernel kernel) {
  const auto images = values(s.batch * s.image(), 1);
  const auto weights = values(s.kh * s.kw * s.channels * s.filters, 2);
  std::vector<float> found(s.batch * s.pixels() * s.filters);
  std::vector<double> expected(found.size());
  kernel(s, images.data(), weights.data(), found.data());
  each_product(s, [&](int64_t pixel, int64_t weight, int64_t output) {
    expected[output] += double(images[pixel]) * weights[weight];
  });
  return is_near(found, expected);
}

bool finds_kernel_gradient(const Shape& s, Kernel kernel) {
  const auto images = values(s.batch * s.image(), 1);
  const auto gradient = values(s.batch * s.pixels() * s.filters, 2);
  std::vector<float> found(s.kh * s.kw * s.channels * s.filters);
  std::vector<double> expected(found.size());
  kernel(s, images.data(), gradient.data(), found.data());
  each_product(s, [&](int64_t pixel, int64_t weight, int64_t output) {
    expected[weight] += double(images[pixel]) * gradient[output];
  });
  return is_near(found, expected);
}

// Normalization, relu and their gradients, for the sums over rows of channels.
bool normalizes(int64_t rows, int64_t channels) {
  const int64_t shape[] = {rows, channels};
  const auto x = values(rows * channels, 3), above = values(rows * channels, 4);
  const auto gamma = values(channels, 5), beta = values(channels, 6);
  std::vector<float> out(x.size()), of_x(x.size()), mean(channels), variance(channels),
      of_gamma(channels), of_beta(channels);
  const normalization::Layout l(Images::Dimensions(shape, 2));
  normalization::forward(l, x.data(), gamma.data(), beta.data(), 1e-3f, normalization::kRelu,
                         out.data(), mean.data(), variance.data());
  normalization::gradients(l, x.data(), above.data(), gamma.data(), beta.data(), mean.data(),
                           variance.data(), 1e-3f, normalization::kRelu, of_x.data(),
                           of_gamma.data(), of_beta.data());
  std::vector<double> expected(x.size()), gradients(x.size());
  for (int64_t c = 0; c < channels; ++c) {
    double m = 0, v = 0, sum = 0, product = 0;
    for (int64_t i = c; i < int64_t(x.size()); i += channels) m += double(x[i]) / rows;
    for (int64_t i = c; i < int64_t(x.size()); i += channels) v += (x[i] - m) * (x[i] - m) / rows;
    const double inverse = 1 / std::sqrt(v + 1e-3f);
    const auto scaled = [&](int64_t i) { return (x[i] - m) * inverse; };
    const auto masked = [&](int64_t i) { return expected[i] > 0 ? double(above[i]) : 0; };
    for (int64_t i = c; i < int64_t(x.size()); i += channels) {
      expected[i] = std::max(scaled(i) * gamma[c] + beta[c], 0.0);
      sum += masked(i);
      product += masked(i) * scaled(i);
    }
    for (int64_t i = c; i < int64_t(x.size()); i += channels)
      gradients[i] = gamma[c] * inverse * (masked(i) - sum / rows - scaled(i) * product / rows);
  }
  return is_near(out, expected) && is_near(of_x, gradients);
}

int run() {
  const Shape s(17, 5, 6, 33, 3, 2, 18, 3, 5), square(2, 7, 8, 33, 3, 3, 34, 5, 6);
  if (!convolves(s, floats::forward) || !convolves(square, winograd::forward<winograd::Vectors>)) return kWrong;
  if (!finds_kernel_gradient(square, winograd::kernel_gradient)) return kWrong;
  if (!normalizes(150, 5)) return kWrong;
#ifdef BAKEOFF_TILES
  if (!amx::permitted()) return kNotPermitted;
  if (!convolves(s, amx::forward) || !convolves(square, winograd::forward<winograd::Tiles>)) return kWrong;
#endif
  return kPassed;
}

}  // namespace self_test
}  // namespace
