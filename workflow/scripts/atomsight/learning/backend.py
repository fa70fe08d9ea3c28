"""Keras without what it loads only in case: drawing and scikit-learn, a fifth of its start."""

import sys

#: What Keras imports where it is installed, for functions that nothing here calls.
_UNUSED = ("matplotlib", "sklearn")


def load_keras() -> None:
    """Import Keras and its backend; the libraries left out can be imported afterwards."""
    unused = set(_UNUSED) - set(sys.modules)
    # To the import system, None is a library that is not installed.
    sys.modules.update(dict.fromkeys(unused))
    try:
        import keras  # noqa: F401
    finally:
        for name in unused:
            del sys.modules[name]
