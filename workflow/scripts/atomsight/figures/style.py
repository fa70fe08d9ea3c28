"""One style for all figures: type and colours, scale bars, panel letters, files that stay the same.

Figures are drawn without pyplot. Every function that makes artists runs inside :func:`styled`, and
nothing is left changed behind it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.style
import numpy as np
from cmcrameri import cm
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.text import Annotation, Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from atomsight.errors import InputError
from atomsight.files import atomic, provenance

STYLE_FILE = Path(__file__).with_name("atomsight.mplstyle")

#: Colour maps (F. Crameri et al., *Nature Communications* 11, 5444 (2020)): probabilities from zero
#: to one, and strain of either sign.
PROBABILITY: Colormap = cm.oslo
STRAIN: Colormap = cm.vik

#: Marks on top of images: seen on dark and on bright.
ACCENT = "#FFB000"

#: Where there is nothing to show, and words of less weight.
MUTED = "0.78"
VEIL = "#56B4E980"
MUTED_TEXT = "0.35"

#: A scale bar is at most this part of the width of its image.
_SCALE_BAR_SHARE = 0.3

#: Share of grey levels at either end that is clipped [%].
_CLIPPED_PERCENT = 0.5


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the project; also a decorator.

    Yields
    ------
    None
        Inside, Matplotlib has its own defaults and the style over them.
    """
    with matplotlib.style.context(STYLE_FILE, after_reset=True):
        yield


def check_output(path: Path | str) -> None:
    """Refuse a name that promises another format.

    Parameters
    ----------
    path : path
        Where a figure shall stand.

    Raises
    ------
    InputError
        If the name does not end in ``.png``.
    """
    if Path(path).suffix.lower() != ".png":
        raise InputError(f"{path}: figures are PNG files; give a name that ends in .png")


@styled()
def save(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, whole or not at all; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
        The figure.
    path : path
        Where the file will stand.

    Notes
    -----
    Noisy micrographs are dear in full colour. A palette of 256 colours, fitted to the figure, is a
    quarter of the size and cannot be told apart by eye.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.array(canvas.buffer_rgba())[..., :3]
    indexed = Image.fromarray(pixels).quantize(palette=_palette(pixels), dither=Image.Dither.NONE)
    with atomic.replacing(path) as partial:
        options = {"optimize": True, "dpi": (figure.dpi, figure.dpi), "pnginfo": _notes()}
        indexed.save(partial, format="PNG", **options)


def _notes() -> PngInfo:
    """What tells where a figure comes from; pictures' viewers show it among its properties."""
    notes = PngInfo()
    notes.add_itxt("provenance", provenance.as_text(provenance.notes()))
    return notes


def _palette(pixels: np.ndarray) -> Image.Image:
    """Choose 256 colours that come near all of a figure's, with true black and white."""
    sample = Image.fromarray(np.ascontiguousarray(pixels[::3, ::3]))
    fitted = sample.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    colours = np.array(fitted.getpalette()).reshape(-1, 3)
    colours[(colours >= 248).all(axis=1)] = 255
    colours[(colours <= 7).all(axis=1)] = 0
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.ravel().tolist())
    return palette


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a place measured from the upper left corner.

    Parameters
    ----------
    figure : Figure
        The figure.
    left, top, width, height : float
        Place and size [inch].

    Returns
    -------
    Axes
        The axes.
    """
    all_width, all_height = figure.get_size_inches()
    bottom = all_height - top - height
    return figure.add_axes(
        (left / all_width, bottom / all_height, width / all_width, height / all_height)
    )


def write(figure: Figure, left: float, top: float, text: str, **options: object) -> Text:
    """Write text at a place measured from the upper left corner.

    Parameters
    ----------
    figure : Figure
        The figure.
    left, top : float
        Place of the upper left corner of the text [inch].
    text : str
        The text, taken as it stands: dollars and backslashes are no formulas.
    **options
        Properties of the text.

    Returns
    -------
    Text
        The text.
    """
    width, height = figure.get_size_inches()
    at = {"ha": "left", "va": "top", "parse_math": False}
    return figure.text(left / width, 1 - top / height, text, **at, **options)


def write_after(figure: Figure, text: Text, more: str, **options: object) -> Text:
    """Write on, right of a text and on its line.

    Parameters
    ----------
    figure : Figure
        The figure.
    text : Text
        What stands there.
    more : str
        What is to follow.
    **options
        Properties of the text.

    Returns
    -------
    Text
        What follows.
    """
    at = {"xycoords": text, "textcoords": "offset points", "va": "top", "parse_math": False}
    return figure.add_artist(Annotation(more, (1, 1), (5, 0), **at, **options))


def letter(axes: Axes, mark: str, title: str = "") -> None:
    """Mark a panel with a bold letter and a title, above its upper left corner.

    Parameters
    ----------
    axes : Axes
        The panel.
    mark : str
        The letter.
    title : str
        What the panel shows.
    """
    at = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(mark, (0, 1), (0, 3), weight="bold", size=9, **at)
    axes.annotate(title, (0, 1), (10, 3.4), **at)


def show_image(
    axes: Axes,
    image: np.ndarray,
    pixel_size_A: float,
    corner_A: tuple[float, float] = (0.0, 0.0),
    **options: object,
) -> AxesImage:
    """Show an image with axes in Å and a scale bar.

    Parameters
    ----------
    axes : Axes
        Where to.
    image : ndarray of shape (H, W) or (H, W, 4)
        Grey levels, or colours with opacity.
    pixel_size_A : float
        Size of a pixel [Å].
    corner_A : tuple of 2 floats
        Position ``(x, y)`` of the centre of the first pixel [Å].
    **options
        Options of ``imshow``.

    Returns
    -------
    AxesImage
        The image. Data coordinates are ``x_A, y_A``.
    """
    height, width = image.shape[:2]
    x, y = (edge - pixel_size_A / 2 for edge in corner_A)
    extent = (x, x + width * pixel_size_A, y + height * pixel_size_A, y)
    shown = axes.imshow(image, extent=extent, **options)
    axes.set(xticks=[], yticks=[], anchor="NW")
    axes.spines[:].set_visible(False)
    scale_bar(axes)
    return shown


def grey_limits(image: np.ndarray, usable: np.ndarray | None = None) -> tuple[float, float]:
    """Grey levels to be shown black and white.

    Parameters
    ----------
    image : ndarray of shape (H, W)
        The image.
    usable : ndarray of shape (H, W), bool, optional
        Pixels that count; all without it.

    Returns
    -------
    low, high : float
        Half a percent of the pixels lies beyond either.
    """
    values = image if usable is None or not usable.any() else image[usable]
    low, high = np.percentile(values, (_CLIPPED_PERCENT, 100 - _CLIPPED_PERCENT))
    return float(low), float(high)


def scale_bar_length(width_A: float) -> float:
    """Length of a scale bar.

    Parameters
    ----------
    width_A : float
        Width of the image [Å].

    Returns
    -------
    float
        1, 2 or 5 times a power of ten [Å], at most 30 % of the width.
    """
    most = _SCALE_BAR_SHARE * width_A
    decade = 10.0 ** np.floor(np.log10(most))
    return float(decade * max(step for step in (1, 2, 5) if step * decade <= most * (1 + 1e-9)))


def length_text(length_A: float) -> str:
    """Write a length with its unit.

    Parameters
    ----------
    length_A : float
        The length [Å].

    Returns
    -------
    str
        In Å below 10 Å, else in nm.
    """
    return f"{length_A:g} Å" if length_A < 10 else f"{length_A / 10:g} nm"


def scale_bar(axes: Axes) -> AnchoredSizeBar:
    """Add a scale bar to an image, in its lower right corner.

    Parameters
    ----------
    axes : Axes
        Shows an image; data coordinates in Å.

    Returns
    -------
    AnchoredSizeBar
        The bar.
    """
    left, right = axes.get_xlim()
    length = scale_bar_length(right - left)
    bar = AnchoredSizeBar(
        axes.transData,
        length,
        length_text(length),
        "lower right",
        pad=0.3,
        borderpad=0.4,
        sep=1.5,
        color="white",
        label_top=True,
        size_vertical=0.012 * (right - left),
        fill_bar=True,
        fontproperties=FontProperties(size=6),
    )
    bar.patch.set(facecolor="black", alpha=0.6, linewidth=0)
    return axes.add_artist(bar)


def symmetric_limit(values: np.ndarray, smallest: float) -> float:
    """Limit of a colour scale that runs from minus to plus it.

    Parameters
    ----------
    values : ndarray
        What will be shown; NaN does not count.
    smallest : float
        Smallest limit.

    Returns
    -------
    float
        1, 2, 3 or 5 times a power of ten that holds 98 % of the values.
    """
    known = np.abs(values[np.isfinite(values)])
    least = max(smallest, float(np.percentile(known, 98)) if known.size else 0.0)
    decade = 10.0 ** np.floor(np.log10(least))
    steps = (1, 2, 3, 5, 10)
    return float(decade * min(step for step in steps if step * decade >= least * (1 - 1e-9)))
