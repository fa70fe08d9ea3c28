"""The classes of Matplotlib that figures use, and its colour maps."""

from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection, LineCollection, PolyCollection
from matplotlib.colors import Colormap, ListedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

__all__ = [
    "Axes",
    "Colormap",
    "EllipseCollection",
    "FancyArrowPatch",
    "Figure",
    "FuncFormatter",
    "Line2D",
    "LineCollection",
    "ListedColormap",
    "MaxNLocator",
    "Normalize",
    "NullFormatter",
    "NullLocator",
    "Patch",
    "PolyCollection",
    "Rectangle",
    "ScalarMappable",
    "cm",
    "to_rgba",
]
