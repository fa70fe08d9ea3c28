"""What figures share: style, panels, curves, the records they are read into.

A part is imported when it is first used. Snakemake reads what all figures need whenever it starts,
and shall not wait for Matplotlib.
"""

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    full_name = f"{__name__}.{name}"
    if full_name not in sys.modules:
        if name.startswith("__") or (spec := find_spec(full_name)) is None:
            raise AttributeError(f"{__name__} has no part {name}")
        spec.loader = LazyLoader(spec.loader)
        sys.modules[full_name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full_name])
    return sys.modules[full_name]
