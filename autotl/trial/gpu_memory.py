"""How much of a GPU's memory a backend held at its peak, asked of the backend itself."""

import keras


def gpu_bytes_since_last_asked() -> int | None:
    """The most bytes held at once since this was called before; None where Keras computes on no GPU, or does not say.

    JAX keeps no peak but that of the whole process.
    """
    asked = _PEAKS.get(keras.backend.backend())
    return None if asked is None else asked()


def _of_tensorflow() -> int | None:
    import tensorflow as tf

    if not tf.config.list_logical_devices("GPU"):
        return None
    peak = int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    tf.config.experimental.reset_memory_stats("GPU:0")
    return peak


def _of_jax() -> int | None:
    import jax

    statistics = jax.local_devices()[0].memory_stats()  # None on a CPU
    return None if statistics is None else statistics.get("peak_bytes_in_use")


def _of_torch() -> int | None:
    import torch

    if not torch.cuda.is_available():
        return None
    peak = int(torch.cuda.max_memory_reserved())
    torch.cuda.reset_peak_memory_stats()
    return peak


_PEAKS = {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}
