"""The figures. Every module of this folder is one, complete; none is named anywhere else.

``figures/<name>.py`` is what ``plot.py <name>`` draws, as its docstring says, and has

``CAPTION``
    What the report says below it, as reStructuredText; ``{wildcards.model}`` and ``{config[key]}``
    stand for what the workflow knows.
``PICTURES``
    The targets that show it, each a :class:`atomsight.figures.parts.entry.Picture`.
``plot(...)``
    Reads files, draws, and gives a figure of Matplotlib. Its parameters, each
    ``Annotated[type, meaning]``, are the options of the command line: ``Path``, ``list[Path]`` and
    ``dict[str, Path]`` are files, the last ones by name.
``MEMORY_MB``, ``CONDA``
    What a job needs, if not 2000 MB and ``envs/analyse.yaml``.

What several figures are drawn with is in ``figures/parts/``. Snakemake imports all modules whenever
it starts: whatever takes long to import, such as Matplotlib, comes from ``parts`` or is imported
inside a function.
"""

import pkgutil
from importlib import import_module
from types import ModuleType

#: Modules by the name of their figure.
FIGURES: dict[str, ModuleType] = {
    found.name: import_module(f"{__name__}.{found.name}")
    for found in pkgutil.iter_modules(__path__)
    if not found.ispkg
}
