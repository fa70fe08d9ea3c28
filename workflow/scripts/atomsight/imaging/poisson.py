"""A Poisson draw for every backend of Keras, which has none of its own."""

import keras
from keras import ops

#: From this mean on, a normal number is made one of Poisson's; their distributions then differ by
#: less than 1e-3 (total variation), their variances by less than 1e-4.
_LARGE = 10.0


def draw(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    """Draw independent Poisson numbers of the given mean.

    The same seed, two int32 that are not negative, gives the same numbers.
    """
    mean = ops.convert_to_tensor(mean)
    draw_exactly, draw_normal = _DRAWS[keras.backend.backend()]
    return ops.cond(
        ops.min(mean) >= _LARGE,
        lambda: from_normal(draw_normal(mean, seed), ops.maximum(mean, _LARGE)),
        lambda: draw_exactly(mean, seed),
    )


def from_normal(normal: keras.KerasTensor, mean: keras.KerasTensor) -> keras.KerasTensor:
    """Poisson numbers at the quantiles of normal ones, for means that are not small.

    Giles, *ACM Trans. Math. Softw.* 42, 7 (2016): the expansion in powers of 1/sqrt(mean).
    """
    width = ops.sqrt(mean)
    square = ops.square(normal)
    skewed = mean + (1 / 3) + square * (1 / 6)
    quantile = skewed + normal * (width - (square * (1 / 72) + 1 / 36) / width)
    return ops.maximum(ops.floor(quantile), 0.0)


def _draw_tensorflow(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import tensorflow

    return tensorflow.random.stateless_poisson(
        tensorflow.shape(mean), seed, mean, dtype=tensorflow.float32
    )


def _normal_tensorflow(like: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import tensorflow

    return tensorflow.random.stateless_normal(tensorflow.shape(like), seed)


def _draw_jax(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import jax

    return jax.random.poisson(_key_jax(seed), mean).astype("float32")


def _normal_jax(like: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import jax

    return jax.random.normal(_key_jax(seed), like.shape)


def _key_jax(seed: keras.KerasTensor) -> object:
    import jax

    return jax.random.fold_in(jax.random.key(seed[0], impl="threefry2x32"), seed[1])


def _draw_torch(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import torch

    return torch.poisson(mean, generator=_generator_torch(mean, seed))


def _normal_torch(like: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import torch

    drawn = _generator_torch(like, seed)
    return torch.randn(like.shape, generator=drawn, device=like.device)


def _generator_torch(like: keras.KerasTensor, seed: keras.KerasTensor) -> object:
    import torch

    return torch.Generator(like.device).manual_seed(int(seed[0]) << 31 | int(seed[1]))


#: By backend: numbers drawn by its own means, and normal ones.
_DRAWS = {
    "tensorflow": (_draw_tensorflow, _normal_tensorflow),
    "jax": (_draw_jax, _normal_jax),
    "torch": (_draw_torch, _normal_torch),
}
