// Convolution and dense layers on one CPU core, for JAX's foreign-function interface (jax.ffi).
//
// Images are (batch, height, width, channels), kernels (height, width, channels, filters), float32.
// Convolution pads the images itself; pooling wants them padded. Where windows are 3×3 it does with fewer
// products (winograd.h), else all are summed up, by AMX tiles where the processor has them and they are
// faster (amx.h), or by vectors (floats.h). Products of dense layers use tiles (matrices.h), the updates
// of their weights tiles or vectors (updates.h).
// Sums are taken in a fixed order, so results repeat bit for bit.

#include "amx.h"
#include "depthwise.h"
#include "floats.h"
#include "matrices.h"
#include "normalization.h"
#include "pool.h"
#include "self_test.h"
#include "shape.h"
#include "updates.h"
#include "winograd.h"

namespace {

ffi::Error run(Kernel kernel, const Shape& shape, Images one, Images other, Result out) {
  kernel(shape, one.typed_data(), other.typed_data(), out->typed_data());
  return ffi::Error::Success();
}

// Which of four ways is the fastest: whether tiles of AMX pay, and whether fewer products do.
Kernel fastest(bool tiles, bool fewer, Kernel fewer_by_tiles, Kernel fewer_by_vectors, Kernel by_tiles,
               Kernel by_vectors) {
  if (fewer) return tiles ? fewer_by_tiles : fewer_by_vectors;
  return tiles ? by_tiles : by_vectors;
}

ffi::Error forward(Images images, Images kernel, Result out, Strides strides,
               Strides pads) {
  const Shape s(images.dimensions(), kernel.dimensions(), out->dimensions(), strides,
                pads);
  const bool tiles = amx::pays(s.channels, s.filters);
  const bool fewer = winograd::pays(s, winograd::Geometry::forward(s), tiles);
  const Kernel found = fastest(tiles, fewer, winograd::forward<winograd::Tiles>,
                               winograd::forward<winograd::Vectors>, amx::forward, floats::forward);
  return run(found, s, images, kernel, out);
}

ffi::Error image_gradient(Images gradient, Images kernel, Result out, Strides strides,
               Strides pads) {
  const Shape s(out->dimensions(), kernel.dimensions(), gradient.dimensions(), strides,
                pads);
  const bool tiles = amx::pays(s.filters, s.channels);
  const bool fewer = winograd::pays(s, winograd::Geometry::backward(s), tiles);
  const Kernel found = fastest(tiles, fewer, winograd::image_gradient<winograd::Tiles>,
                               winograd::image_gradient<winograd::Vectors>, amx::image_gradient,
                               floats::image_gradient);
  return run(found, s, gradient, kernel, out);
}

ffi::Error kernel_gradient(Images images, Images gradient, Result out, Strides strides,
               Strides pads) {
  const Shape s(images.dimensions(), out->dimensions(), gradient.dimensions(), strides,
                pads);
  const bool tiles = amx::pays(s.batch, s.filters) && amx::pays(s.batch, s.channels);
  const bool fewer = winograd::pays(s, winograd::Geometry::forward(s), tiles);
  const Kernel found = fastest(tiles, fewer, winograd::kernel_gradient, winograd::kernel_gradient,
                               amx::kernel_gradient, floats::kernel_gradient);
  return run(found, s, images, gradient, out);
}

// A depthwise convolution, whose kernel is (height, width, 1, channels).
ffi::Error depthwise_forward(Images images, Images kernel, Result out, Strides strides, Strides pads) {
  const Shape s(images.dimensions(), kernel.dimensions(), out->dimensions(), strides, pads);
  return run(depthwise::forward, s, images, kernel, out);
}

ffi::Error depthwise_gradients(Images images, Images kernel, Images gradient, Result of_images,
                               Result of_kernel, Strides strides, Strides pads) {
  const Shape s(images.dimensions(), kernel.dimensions(), gradient.dimensions(), strides, pads);
  depthwise::gradients(s, images.typed_data(), kernel.typed_data(), gradient.typed_data(),
                       of_images->typed_data(), of_kernel->typed_data());
  return ffi::Error::Success();
}

// The maximum of every window, and its offset in the window.
ffi::Error pooled(Images images, Result out, ffi::Result<pool::Offsets8> first, Strides window,
                  Strides strides) {
  const pool::Windows w(images.dimensions(), out->dimensions(), window, strides);
  pool::forward(w, images.typed_data(), out->typed_data(), first->typed_data());
  return ffi::Error::Success();
}

ffi::Error max_pool_gradient(Images gradient, pool::Offsets8 first, Result out, Strides window,
                        Strides strides) {
  const pool::Windows w(out->dimensions(), gradient.dimensions(), window, strides);
  pool::gradient(w, gradient.typed_data(), first.typed_data(), out->typed_data());
  return ffi::Error::Success();
}

// Batch normalization in training and the activation after it; the mean and variance of the batch.
ffi::Error normalized(Images values, Images gamma, Images beta, Result out, Result mean,
                      Result variance, float epsilon, int64_t activation) {
  normalization::forward(values.dimensions(), values.typed_data(), gamma.typed_data(),
                         beta.typed_data(), epsilon, activation, out->typed_data(),
                         mean->typed_data(), variance->typed_data());
  return ffi::Error::Success();
}

ffi::Error normalization_gradients(Images values, Images gradient, Images gamma, Images beta,
                                   Images mean, Images variance, Result out, Result of_gamma,
                                   Result of_beta, float epsilon, int64_t activation) {
  normalization::gradients(values.dimensions(), values.typed_data(), gradient.typed_data(),
                           gamma.typed_data(), beta.typed_data(), mean.typed_data(),
                           variance.typed_data(), epsilon, activation, out->typed_data(),
                           of_gamma->typed_data(), of_beta->typed_data());
  return ffi::Error::Success();
}

ffi::Error no_tiles() { return {ffi::ErrorCode::kUnimplemented, "there are no tiles"}; }

// A product of matrices, one of which may be transposed; the left one may be of bytes.
template <ffi::DataType D>
ffi::Error product(ffi::Buffer<D> left, Images right, Result out, bool left_transposed,
                   bool right_transposed) {
  if (!amx::permitted()) return no_tiles();
  amx::product(left, left_transposed, right, right_transposed, out->typed_data());
  return ffi::Error::Success();
}

// Weights and optimizer state of a dense layer, updated in place; the gradient of the weights is the
// product of the layer's inputs, transposed, and the gradient of its pre-activations.
template <ffi::DataType D>
ffi::Error update(ffi::Buffer<D> inputs, Images gradient, Images scalars, ffi::RemainingArgs,
                  ffi::RemainingRets results) {
  if (D == ffi::U8 && !amx::permitted()) return no_tiles();
  float* held[3] = {};
  for (size_t each = 0; each < results.size() && each < 3; ++each)
    held[each] = (*results.get<Images>(each))->typed_data();
  updates::update(inputs, gradient, scalars.typed_data(), held, int(results.size()) - 1);
  return ffi::Error::Success();
}

auto convolution_binding() {
  return ffi::Ffi::Bind().Arg<Images>().Arg<Images>().Ret<Images>().Attr<Strides>("strides")
      .Attr<Strides>("pads");
}

auto depthwise_gradients_binding() {
  return ffi::Ffi::Bind().Arg<Images>().Arg<Images>().Arg<Images>().Ret<Images>().Ret<Images>()
      .Attr<Strides>("strides").Attr<Strides>("pads");
}

auto max_pool_binding() {
  return ffi::Ffi::Bind().Arg<Images>().Ret<Images>().Ret<pool::Offsets8>().Attr<Strides>("window")
      .Attr<Strides>("strides");
}

auto max_pool_gradient_binding() {
  return ffi::Ffi::Bind().Arg<Images>().Arg<pool::Offsets8>().Ret<Images>().Attr<Strides>("window")
      .Attr<Strides>("strides");
}

auto normalized_binding() {
  return ffi::Ffi::Bind().Arg<Images>().Arg<Images>().Arg<Images>().Ret<Images>().Ret<Images>()
      .Ret<Images>().Attr<float>("epsilon").Attr<int64_t>("activation");
}

auto normalization_gradients_binding() {
  return ffi::Ffi::Bind().Arg<Images>().Arg<Images>().Arg<Images>().Arg<Images>().Arg<Images>()
      .Arg<Images>().Ret<Images>().Ret<Images>().Ret<Images>().Attr<float>("epsilon")
      .Attr<int64_t>("activation");
}

template <ffi::DataType D>
auto product_binding() {
  return ffi::Ffi::Bind().Arg<ffi::Buffer<D>>().template Arg<Images>().template Ret<Images>()
      .template Attr<bool>("left_transposed").template Attr<bool>("right_transposed");
}

template <ffi::DataType D>
auto update_binding() {
  return ffi::Ffi::Bind().Arg<ffi::Buffer<D>>().template Arg<Images>().template Arg<Images>()
      .RemainingArgs().RemainingRets();
}

}  // namespace

extern "C" bool bakeoff_tiles() { return amx::permitted(); }

// 0 if the kernels compute what they should; see self_test.h for what else.
extern "C" int bakeoff_self_test() { return self_test::run(); }

XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_forward, forward, convolution_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_image_gradient, image_gradient, convolution_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_kernel_gradient, kernel_gradient, convolution_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_depthwise_forward, depthwise_forward, convolution_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_depthwise_gradients, depthwise_gradients,
                              depthwise_gradients_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_max_pool, pooled, max_pool_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_max_pool_gradient, max_pool_gradient, max_pool_gradient_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_normalized, normalized, normalized_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_normalization_gradients, normalization_gradients,
                              normalization_gradients_binding());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_product, product<ffi::F32>, product_binding<ffi::F32>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_byte_product, product<ffi::U8>, product_binding<ffi::U8>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_update, update<ffi::F32>, update_binding<ffi::F32>());
XLA_FFI_DEFINE_HANDLER_SYMBOL(bakeoff_byte_update, update<ffi::U8>, update_binding<ffi::U8>());
