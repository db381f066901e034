// AMX's tiles in software, so that what uses them is tested on processors without: the compiler is told to
// include this file first. Sums are rounded as Intel's manual says of TDPBF16PS, but for denormal numbers.
#pragma once
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

namespace in_software {

struct Register {
  uint32_t rows[16][16];
};

inline Register& tile(int which) {
  static thread_local Register all[8];
  return all[which];
}

// step : bytes from one row to the next in memory
inline void load(int to, const void* from, int64_t step) {
  for (int row = 0; row < 16; ++row)
    std::memcpy(tile(to).rows[row], static_cast<const char*>(from) + row * step, 64);
}
inline void store(int from, void* to, int64_t step) {
  for (int row = 0; row < 16; ++row)
    std::memcpy(static_cast<char*>(to) + row * step, tile(from).rows[row], 64);
}
inline void zero(int which) { tile(which) = {}; }

inline float as_float(uint32_t bits) {
  float made;
  std::memcpy(&made, &bits, sizeof(made));
  return made;
}
inline float lower(uint32_t pair) { return as_float(pair << 16); }
inline float upper(uint32_t pair) { return as_float(pair & 0xffff0000u); }

// sums += rows x columns, of pairs of bfloat16
inline void multiply(int sums, int rows, int columns) {
  const Register &one = tile(rows), &other = tile(columns);
  float held[16][16];
  std::memcpy(held, &tile(sums), sizeof(held));
  for (int m = 0; m < 16; ++m) {
    float even[16] = {}, odd[16] = {};
    for (int k = 0; k < 16; ++k) {
      const float low = lower(one.rows[m][k]), high = upper(one.rows[m][k]);
      for (int n = 0; n < 16; ++n) {
        even[n] += low * lower(other.rows[k][n]);
        odd[n] += high * upper(other.rows[k][n]);
      }
    }
    for (int n = 0; n < 16; ++n) held[m][n] += even[n] + odd[n];
  }
  std::memcpy(&tile(sums), held, sizeof(held));
}

}  // namespace in_software

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#define _tile_loadconfig(shapes) ((void)(shapes))
#define _tile_release() ((void)0)
#define _tile_loadd(to, from, step) in_software::load(to, from, step)
#define _tile_stored(from, to, step) in_software::store(from, to, step)
#define _tile_zero(which) in_software::zero(which)
#define _tile_dpbf16ps(sums, rows, columns) in_software::multiply(sums, rows, columns)
#define syscall(...) 0  // the system permits it
#define __AMX_BF16__ 1
