// Convolution and its gradients by AMX tiles.
//
// The rows of a tile are 16 images at one pixel. Tiles are padded with zeros: no sum depends on another
// image or on memory beside an array.

#pragma once

#include <numeric>

#include "shape.h"

#ifdef BAKEOFF_TILES

#include "tiles.h"

namespace {
namespace amx {

// Output pixels that are summed up before the next offset in the kernel.
constexpr int64_t kOutputs = 12;

// Whether tiles are more than half full for sums over `depth` and so many columns.
bool pays(int64_t depth, int64_t columns) {
  const int64_t filled = parts(depth, kDepth) * kDepth * parts(columns, kSide) * kSide;
  return filled < 2 * depth * columns && permitted();
}

// Call `visit` for every (pixel of the image, output pixel, offset in the kernel) of a convolution, all
// three as indices. Each operation sums over these.
template <typename Visit>
void each_link(const Shape& s, Visit&& visit) {
  for (int64_t y = 0; y < s.oh; ++y)
    for (int64_t x = 0; x < s.ow; ++x)
      for (int64_t i = 0; i < s.kh; ++i)
        for (int64_t j = 0; j < s.kw; ++j)
          visit((y * s.sh + i) * s.width + x * s.sw + j, y * s.ow + x, i * s.kw + j);
}

// A ring buffer with the tiles of the latest pixels, so that they stay in the cache: each pixel is
// filled when it is first needed and replaces the oldest.
class Ring {
 public:
  Ring(Tile* tiles, int64_t pixels, int64_t step) : tiles_(tiles), pixels_(pixels), step_(step) {}

  // Call `fill` for each pixel before `end` that is not filled yet: its tiles, its index.
  template <typename Fill>
  void fill_up_to(int64_t end, Fill&& fill) {
    for (; filled_ < end; ++filled_) fill(tiles_ + filled_ % pixels_ * step_, filled_);
  }

 private:
  Tile* tiles_;
  int64_t pixels_, step_, filled_ = 0;
};

// ── forward and image gradient ───────────────────────────────────────────────────────────────

// An output pixel: the products it is the sum of, and how many input pixels must be filled for them.
struct OutputPixel {
  Links links;
  int64_t needed = 0;

  void add(int64_t pixel, int64_t ring, int64_t offset) {
    links.push_back({int32_t(pixel % ring), int32_t(offset)});
    needed = std::max(needed, pixel + 1);
  }
};

// A batch of input images of `pixels` in memory, `depth` values each, and the output pixels, `columns` values
// each, that are computed from it.
struct Batch {
  const float* from;
  Offsets in_memory;  // index of each pixel; −1 where it is zero
  int64_t batch, pixels, depth, columns, ring;
  const Tile* packed;
  float* to;

  int64_t deep() const { return parts(depth, kDepth) * kPieces; }
  int64_t across() const { return parts(columns, kSide); }
  int64_t image() const { return pixels * depth; }
};

// Compute all output pixels of up to P times 16 images.
template <int P>
void compute_images(const Batch& m, const std::vector<OutputPixel>& outputs, int64_t first) {
  const int64_t images = m.batch - first, step = outputs.size() * m.columns;
  Tile* tiles = scratch<Tile, 0>(m.ring * P * m.deep());
  Ring ring(tiles, m.ring, P * m.deep());
  float* to = m.to + first * step;
  for (const OutputPixel& pixel : outputs) {
    ring.fill_up_to(pixel.needed, [&](Tile* into, int64_t index) {
      const int64_t at = m.in_memory[index], present = at < 0 ? 0 : images;
      const float* from = m.from + first * m.image() + std::max<int64_t>(at, 0) * m.depth;
      for (int64_t p = 0; p < P; ++p)
        fill_rows(into + p * m.deep(), from + p * kSide * m.image(), present - p * kSide, m.image(),
                  m.depth);
    });
    settle();
    pairs(m.across(), [&](auto q, int64_t column) {
      const Operands from{{tiles, tiles + (P - 1) * m.deep()}, P * m.deep(),
                          m.packed + column * kPieces, m.deep() * m.across(),
                          m.deep() / kPieces, m.across() * kPieces};
      const Destination target{to, step, images, m.columns};
      sum_to<P, q>(pixel.links, from, target.at(0, column * kSide));
    });
    to += m.columns;
  }
}

void compute(const Batch& m, const std::vector<OutputPixel>& outputs) {
  for (int64_t first = 0; first < m.batch; first += 2 * kSide)
    if (m.batch - first > kSide)
      compute_images<2>(m, outputs, first);
    else
      compute_images<1>(m, outputs, first);
}

template <bool Transposed>
const Tile* pack(const Shape& s, const float* kernel, int64_t depth, int64_t columns) {
  const int64_t offsets = s.kh * s.kw, each = parts(depth, kDepth) * parts(columns, kSide) * kPieces;
  Tile* tiles = scratch<Tile, 1>(offsets * each);
  for (int64_t offset = 0; offset < offsets; ++offset)
    fill_columns<Transposed>(tiles + offset * each, kernel + offset * depth * columns, depth, columns);
  return tiles;
}

void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  const Registers registers;
  const int64_t ring = (s.kh - 1) * s.width + s.kw;
  std::vector<OutputPixel> outputs(s.pixels());
  each_link(s, [&](int64_t pixel, int64_t output, int64_t offset) {
    outputs[output].add(pixel, ring, offset);
  });
  const Tile* packed = pack<false>(s, kernel, s.channels, s.filters);
  Offsets in_memory;
  for (int64_t pixel = 0; pixel < s.height * s.width; ++pixel)
    in_memory.push_back(s.in_memory(pixel));
  compute({images, in_memory, s.batch, s.stored_pixels(), s.channels, s.filters, ring, packed, out}, outputs);
}

void image_gradient(const Shape& s, const float* gradient, const float* kernel, float* out) {
  const Registers registers;
  const int64_t ring = (s.kh - 1) * s.ow + s.kw;
  std::vector<OutputPixel> pixels(s.stored_pixels());
  each_link(s, [&](int64_t pixel, int64_t output, int64_t offset) {
    if (const int64_t at = s.in_memory(pixel); at >= 0) pixels[at].add(output, ring, offset);
  });
  Offsets in_memory(s.pixels());
  std::iota(in_memory.begin(), in_memory.end(), 0);
  const Tile* packed = pack<true>(s, kernel, s.filters, s.channels);
  compute({gradient, in_memory, s.batch, s.pixels(), s.filters, s.channels, ring, packed, out}, pixels);
}

// ── the gradient of the kernel ──────────────────────────────────────────────────────────────────

// Sums over images and output pixels; the reduction dimension of one tile product is 32 images.
class KernelGradient {
 public:
  explicit KernelGradient(const Shape& shape)
      : s(shape), windows_(s.windows()), links_(s.kh * s.kw), count_(rows() * across()) {
    for (int64_t first = 0; first < s.pixels(); first += kOutputs)
      ring_ = std::max(ring_, needed(end_of(first)) - windows_[first] / s.channels);
    each_link(s, [&](int64_t pixel, int64_t output, int64_t offset) {
      links_[offset].push_back({int32_t(pixel % ring_), int32_t(output % kOutputs)});
    });
    pixels_ = scratch<Tile, 0>(ring_ * down() * kPieces);
    gradients_ = scratch<Tile, 1>(kOutputs * across() * kPieces);
    sums_ = scratch<Sums, 2>(count_);
    std::fill_n(&sums_->rows[0][0], count_ * kSide * kSide, 0.0f);
  }

  // Add the share of 32 images, or of those that are left, to the sums.
  void add(const float* images, const float* gradient, int64_t left) {
    const int64_t step = s.pixels() * s.filters;
    Ring ring(pixels_, ring_, down() * kPieces);
    for (int64_t first = 0; first < s.pixels(); first += kOutputs) {
      ring.fill_up_to(needed(end_of(first)), [&](Tile* into, int64_t pixel) {
        const int64_t at = s.in_memory(pixel), from = std::max<int64_t>(at, 0) * s.channels;
        fill_images<true>(into, images + from, at < 0 ? 0 : left, s.stored(), s.channels);
      });
      for (int64_t output = first; output < end_of(first); ++output)
        fill_images<false>(gradients_ + (output - first) * across() * kPieces,
                           gradient + output * s.filters, left, step, s.filters);
      settle();
      add_run(first);
    }
  }

  void copy_to(float* out) const {
    for (int64_t row = 0; row < rows(); ++row)
      for (int64_t column = 0; column < across(); ++column) {
        const int64_t channel = row % down() * kSide, filter = column * kSide;
        copy(sums_ + row * across() + column, 1,
             {out + (row / down() * s.channels + channel) * s.filters + filter, s.filters,
              s.channels - channel, s.filters - filter});
      }
  }

 private:
  int64_t down() const { return parts(s.channels, kSide); }
  int64_t across() const { return parts(s.filters, kSide); }
  int64_t rows() const { return s.kh * s.kw * down(); }
  int64_t end_of(int64_t first) const { return std::min(first + kOutputs, s.pixels()); }

  // How many pixels of an image are needed for the first `outputs` output pixels.
  int64_t needed(int64_t outputs) const {
    return windows_[outputs - 1] / s.channels + (s.kh - 1) * s.width + s.kw;
  }

  // Add the share of a run of output pixels to the sums.
  void add_run(int64_t first) {
    pairs(across(), [&](auto q, int64_t column) {
      for (int64_t offset = 0; offset < s.kh * s.kw; ++offset)
        pairs(down(), [&](auto p, int64_t row) {
          const Tile* channels = pixels_ + row * kPieces;
          const Operands from{{channels, channels + (p - 1) * kPieces}, down() * kPieces,
                              gradients_ + column * kPieces, across() * kPieces, 1, 0};
          const Link* links = links_[offset].data();
          Sums sums[2][2];
          sum_up<p, q>(links + first, links + end_of(first), from, sums);
          for (int i = 0; i < p; ++i)
            for (int j = 0; j < q; ++j)
              add_to(sums_[(offset * down() + row + i) * across() + column + j], sums[i][j]);
        });
    });
  }

  static void add_to(Sums& sums, const Sums& more) {
    for (int row = 0; row < kSide; ++row) {
      const __m512 sum = _mm512_load_ps(sums.rows[row]), one = _mm512_load_ps(more.rows[row]);
      _mm512_store_ps(sums.rows[row], _mm512_add_ps(sum, one));
    }
  }

  const Shape& s;
  const Offsets windows_;
  std::vector<Links> links_;
  int64_t count_, ring_ = 0;
  Tile *pixels_, *gradients_;
  Sums* sums_;
};

void kernel_gradient(const Shape& s, const float* images, const float* gradient, float* out) {
  const Registers registers;
  KernelGradient sums(s);
  for (int64_t b = 0; b < s.batch; b += kDepth)
    sums.add(images + b * s.stored(), gradient + b * s.pixels() * s.filters, s.batch - b);
  sums.copy_to(out);
}

}  // namespace amx
}  // namespace

#else

namespace {
namespace amx {

bool pays(int64_t, int64_t) { return false; }
bool permitted() { return false; }
void forward(const Shape&, const float*, const float*, float*) {}
void image_gradient(const Shape&, const float*, const float*, float*) {}
void kernel_gradient(const Shape&, const float*, const float*, float*) {}

}  // namespace amx
}  // namespace

#endif
