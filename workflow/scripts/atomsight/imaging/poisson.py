"""A Poisson draw for every backend of Keras, which has none of its own."""

import keras


def draw(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    """Draw independent Poisson numbers of the given mean.

    The same seed, two int32, gives the same numbers on TensorFlow and JAX. PyTorch has no stateless
    draw and uses its global generator.
    """
    return _DRAWS[keras.backend.backend()](mean, seed)


def _draw_tensorflow(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import tensorflow

    return tensorflow.random.stateless_poisson(
        tensorflow.shape(mean), seed, mean, dtype=tensorflow.float32
    )


def _draw_jax(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import jax

    key = jax.random.fold_in(jax.random.key(seed[0], impl="threefry2x32"), seed[1])
    return jax.random.poisson(key, mean).astype("float32")


def _draw_torch(mean: keras.KerasTensor, seed: keras.KerasTensor) -> keras.KerasTensor:
    import torch

    return torch.poisson(mean)


_DRAWS = {"tensorflow": _draw_tensorflow, "jax": _draw_jax, "torch": _draw_torch}
