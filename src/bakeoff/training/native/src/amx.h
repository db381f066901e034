// Convolution and its gradients by tiles, where the processor has them.
//
// Sixteen images are the rows of a tile, at one pixel. Whatever fills a tile up is zero, and no sum
// depends on another image or on what is beside an array.

#pragma once

#include "shape.h"

#ifdef BAKEOFF_TILES

#include "tiles.h"

namespace {
namespace amx {

// So many output pixels are summed before the next place in the kernel.
constexpr int64_t kOutputs = 12;

// Say whether sums over `depth`, for so many columns, fill enough of their tiles.
bool pays(int64_t depth, int64_t columns) {
  const int64_t filled = parts(depth, kDepth) * kDepth * parts(columns, kSide) * kSide;
  return filled <= 2 * depth * columns && permitted();
}

// Each operation sums over links between a pixel of the images, an output pixel, and a place in the
// kernel: call `visit` with the numbers of each three.
template <typename Visit>
void each_link(const Shape& s, Visit&& visit) {
  for (int64_t y = 0; y < s.oh; ++y)
    for (int64_t x = 0; x < s.ow; ++x)
      for (int64_t i = 0; i < s.kh; ++i)
        for (int64_t j = 0; j < s.kw; ++j)
          visit((y * s.sh + i) * s.width + x * s.sw + j, y * s.ow + x, i * s.kw + j);
}

// The tiles of the latest pixels: each is filled when it is first wanted, in place of an old one,
// so that they stay in the cache.
class Ring {
 public:
  Ring(Tile* tiles, int64_t pixels, int64_t step) : tiles_(tiles), pixels_(pixels), step_(step) {}

  // Call `fill` for the pixels before `end` that are not there: where to, and which.
  template <typename Fill>
  void fill_up_to(int64_t end, Fill&& fill) {
    for (; filled_ < end; ++filled_) fill(tiles_ + filled_ % pixels_ * step_, filled_);
  }

 private:
  Tile* tiles_;
  int64_t pixels_, step_, filled_ = 0;
};

// ── pixels from pixels ───────────────────────────────────────────────────────────────────────

// A pixel that is made: of what it is the sum, and how many others must be there.
struct Made {
  Links links;
  int64_t wanted = 0;

  void add(int64_t pixel, int64_t ring, int64_t place) {
    links.push_back({int32_t(pixel % ring), int32_t(place)});
    wanted = std::max(wanted, pixel + 1);
  }
};

// A batch of `pixels`, of `depth` numbers each, of which pixels of `columns` numbers are made.
struct Making {
  const float* from;
  int64_t batch, pixels, depth, columns, ring;
  const Tile* packed;
  float* to;

  int64_t deep() const { return parts(depth, kDepth) * kPieces; }
  int64_t across() const { return parts(columns, kSide); }
  int64_t image() const { return pixels * depth; }
};

// Make all pixels of some images, P times 16 at most.
template <int P>
void make_images(const Making& m, const std::vector<Made>& made, int64_t first) {
  const int64_t images = m.batch - first, step = made.size() * m.columns;
  Tile* tiles = scratch<Tile, 0>(m.ring * P * m.deep());
  Ring ring(tiles, m.ring, P * m.deep());
  float* to = m.to + first * step;
  for (const Made& pixel : made) {
    ring.fill_up_to(pixel.wanted, [&](Tile* into, int64_t number) {
      const float* from = m.from + first * m.image() + number * m.depth;
      for (int64_t p = 0; p < P; ++p)
        fill_rows(into + p * m.deep(), from + p * kSide * m.image(), images - p * kSide, m.image(),
                  m.depth);
    });
    settle();
    pairs(m.across(), [&](auto q, int64_t column) {
      const Operands from{{tiles, tiles + (P - 1) * m.deep()}, P * m.deep(),
                          m.packed + column * kPieces, m.deep() * m.across(),
                          m.deep() / kPieces, m.across() * kPieces};
      const Place place{to, step, images, m.columns};
      sum_to<P, q>(pixel.links, from, place.at(0, column * kSide));
    });
    to += m.columns;
  }
}

void make(const Making& m, const std::vector<Made>& made) {
  for (int64_t first = 0; first < m.batch; first += 2 * kSide)
    if (m.batch - first > kSide)
      make_images<2>(m, made, first);
    else
      make_images<1>(m, made, first);
}

template <bool Transposed>
const Tile* pack(const Shape& s, const float* kernel, int64_t depth, int64_t columns) {
  const int64_t places = s.kh * s.kw, each = parts(depth, kDepth) * parts(columns, kSide) * kPieces;
  Tile* tiles = scratch<Tile, 1>(places * each);
  for (int64_t place = 0; place < places; ++place)
    fill_columns<Transposed>(tiles + place * each, kernel + place * depth * columns, depth, columns);
  return tiles;
}

void forward(const Shape& s, const float* images, const float* kernel, float* out) {
  const Registers registers;
  const int64_t ring = (s.kh - 1) * s.width + s.kw;
  std::vector<Made> outputs(s.pixels());
  each_link(s, [&](int64_t pixel, int64_t output, int64_t place) {
    outputs[output].add(pixel, ring, place);
  });
  const Tile* packed = pack<false>(s, kernel, s.channels, s.filters);
  make({images, s.batch, s.height * s.width, s.channels, s.filters, ring, packed, out}, outputs);
}

void image_gradient(const Shape& s, const float* gradient, const float* kernel, float* out) {
  const Registers registers;
  const int64_t ring = (s.kh - 1) * s.ow + s.kw;
  std::vector<Made> pixels(s.height * s.width);
  each_link(s, [&](int64_t pixel, int64_t output, int64_t place) {
    pixels[pixel].add(output, ring, place);
  });
  const Tile* packed = pack<true>(s, kernel, s.filters, s.channels);
  make({gradient, s.batch, s.pixels(), s.filters, s.channels, ring, packed, out}, pixels);
}

// ── the gradient of the kernel ──────────────────────────────────────────────────────────────────

// Sums over images and output pixels: 32 images are what one product of tiles sums over.
class Gathering {
 public:
  explicit Gathering(const Shape& shape)
      : s(shape), windows_(s.windows()), links_(s.kh * s.kw), number_(rows() * across()) {
    for (int64_t first = 0; first < s.pixels(); first += kOutputs)
      ring_ = std::max(ring_, wanted(end_of(first)) - windows_[first] / s.channels);
    each_link(s, [&](int64_t pixel, int64_t output, int64_t place) {
      links_[place].push_back({int32_t(pixel % ring_), int32_t(output % kOutputs)});
    });
    pixels_ = scratch<Tile, 0>(ring_ * down() * kPieces);
    gradients_ = scratch<Tile, 1>(kOutputs * across() * kPieces);
    sums_ = scratch<Sums, 2>(number_);
    std::fill_n(&sums_->rows[0][0], number_ * kSide * kSide, 0.0f);
  }

  // Add what 32 images, or those that are left, give to the sums.
  void add(const float* images, const float* gradient, int64_t left) {
    const int64_t step = s.pixels() * s.filters;
    Ring ring(pixels_, ring_, down() * kPieces);
    for (int64_t first = 0; first < s.pixels(); first += kOutputs) {
      ring.fill_up_to(wanted(end_of(first)), [&](Tile* into, int64_t pixel) {
        fill_images<true>(into, images + pixel * s.channels, left, s.image(), s.channels);
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

  // How many pixels of an image are wanted for so many output pixels.
  int64_t wanted(int64_t outputs) const {
    return windows_[outputs - 1] / s.channels + (s.kh - 1) * s.width + s.kw;
  }

  // Add what a run of output pixels gives to the sums.
  void add_run(int64_t first) {
    pairs(across(), [&](auto q, int64_t column) {
      for (int64_t place = 0; place < s.kh * s.kw; ++place)
        pairs(down(), [&](auto p, int64_t row) {
          const Tile* channels = pixels_ + row * kPieces;
          const Operands from{{channels, channels + (p - 1) * kPieces}, down() * kPieces,
                              gradients_ + column * kPieces, across() * kPieces, 1, 0};
          const Link* links = links_[place].data();
          Sums sums[2][2];
          sum_up<p, q>(links + first, links + end_of(first), from, sums);
          for (int i = 0; i < p; ++i)
            for (int j = 0; j < q; ++j)
              add_to(sums_[(place * down() + row + i) * across() + column + j], sums[i][j]);
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
  int64_t number_, ring_ = 0;
  Tile *pixels_, *gradients_;
  Sums* sums_;
};

void kernel_gradient(const Shape& s, const float* images, const float* gradient, float* out) {
  const Registers registers;
  Gathering gathering(s);
  for (int64_t b = 0; b < s.batch; b += kDepth)
    gathering.add(images + b * s.image(), gradient + b * s.pixels() * s.filters, s.batch - b);
  gathering.copy_to(out);
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
