"""One style for all figures: type and colours, scale bars, panel letters, files that stay the same.

Figures are drawn without pyplot, inside :func:`styled`, and leave nothing changed behind them.
Places and sizes on a figure are in inches, from its upper left corner.
"""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib.style
import numpy as np
from cmcrameri import cm
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
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

#: So many pixels tell the grey levels of an image.
_ENOUGH_PIXELS = 2**22

#: Of an image no more pixels are drawn than so many along the edge of a pixel of print.
_PIXELS_PER_PRINTED = 2


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the project; also a decorator.

    Inside, Matplotlib has its own defaults with the style on top of them.
    """
    with matplotlib.style.context(STYLE_FILE, after_reset=True):
        yield


def check_output(path: Path | str) -> None:
    """Refuse a name that promises another format than PNG."""
    if Path(path).suffix.lower() != ".png":
        raise InputError(f"{path}: figures are PNG files; give a name that ends in .png")


@styled()
def save(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, whole or not at all; the same figure gives the same bytes.

    Noisy micrographs are dear in full colour. A palette of 256 colours, fitted to the figure, is a
    quarter of the size and cannot be told apart by eye.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.array(canvas.buffer_rgba())[..., :3]
    indexed = Image.fromarray(pixels).quantize(palette=_palette(pixels), dither=Image.Dither.NONE)
    notes = PngInfo()
    notes.add_itxt("provenance", provenance.as_text(provenance.notes()))
    with atomic.replacing(path) as partial:
        options = {"optimize": True, "dpi": (figure.dpi, figure.dpi), "pnginfo": notes}
        indexed.save(partial, format="PNG", **options)


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
    """Add axes."""
    all_width, all_height = figure.get_size_inches()
    bottom = all_height - top - height
    return figure.add_axes(
        (left / all_width, bottom / all_height, width / all_width, height / all_height)
    )


def write(figure: Figure, left: float, top: float, text: str, **options: object) -> Text:
    """Write text as it stands: dollars and backslashes are no formulas."""
    width, height = figure.get_size_inches()
    at = {"ha": "left", "va": "top", "parse_math": False}
    return figure.text(left / width, 1 - top / height, text, **at, **options)


def write_after(figure: Figure, text: Text, more: str, **options: object) -> Text:
    """Continue a text on its line."""
    at = {"xycoords": text, "textcoords": "offset points", "va": "top", "parse_math": False}
    return figure.add_artist(Annotation(more, (1, 1), (5, 0), **at, **options))


def write_title(
    figure: Figure, left: float, top: float, title: str, said: str = "", letters: int = 100
) -> None:
    """Write the title of a figure, shortened to a number of letters, and facts below it."""
    heading = textwrap.shorten(title, letters, placeholder=" …")
    write(figure, left, top, heading, weight="bold", size=8)
    write(figure, left, top + 0.16, said, color=MUTED_TEXT)


def write_row_title(
    figure: Figure, left: float, top: float, name: str, notes: str, letters: int, **options: object
) -> None:
    """Write the name of a series, and after it as much of its notes as fits on a line.

    Notes that are nothing but the name are left out.
    """
    text = write(figure, left, top, name, weight="bold", size=8, **options)
    room = max(20, letters - round(1.4 * len(name)))
    if notes != name:
        write_after(figure, text, textwrap.shorten(notes, room, placeholder=" …"), size=7.5)


def write_heading(
    figure: Figure, left: float, top: float, mark: str, title: str, **options: object
) -> None:
    """Write a bold letter and the title of a column of panels."""
    write_after(figure, write(figure, left, top, mark, weight="bold", size=9), title, **options)


def letter(axes: Axes, mark: str, title: str = "") -> None:
    """Mark a panel with a bold letter and a title, above its upper left corner."""
    at = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(mark, (0, 1), (0, 3), weight="bold", size=9, **at)
    axes.annotate(title, (0, 1), (10, 3.4), **at)


def explain(
    figure: Figure, left: float, top: float, handles: Sequence[Artist], **options: object
) -> Legend:
    """Explain marks in a legend; without ``loc`` it is centred at ``left``."""
    width, height = figure.get_size_inches()
    at = (left / width, 1 - top / height)
    options = {"loc": "upper center", "borderaxespad": 0} | options
    return figure.legend(handles=handles, bbox_to_anchor=at, **options)


def colour_bar(
    figure: Figure,
    at: tuple[float, float, float],
    colours: Colormap,
    ends: tuple[float, float],
    label: str,
    extend: str = "neither",
    ticks: int = 3,
) -> None:
    """Draw a horizontal colour bar at a left, top and width [inch]."""
    left, top, width = at
    bar = figure.colorbar(
        ScalarMappable(Normalize(*ends), colours),
        place(figure, left, top, width, 0.07),
        orientation="horizontal",
        extend=extend,
        label=label,
        ticks=np.linspace(*ends, ticks),
        format="{x:g}",
    )
    bar.outline.set_linewidth(0.4)


def ramp(colours: Colormap, low: float, high: float) -> ListedColormap:
    """A part of a colour map."""
    return ListedColormap(colours(np.linspace(low, high, 256)))


def greys(low: float, high: float = 1.0) -> ListedColormap:
    """Grey levels from dark to bright; those under coloured marks are faint."""
    return ListedColormap(np.repeat(np.linspace(low, high, 256)[:, None], 3, axis=1))


def grey(image: np.ndarray, usable: np.ndarray | None = None) -> dict[str, object]:
    """Options that show a micrograph in grey."""
    low, high = grey_limits(image, usable)
    return {"cmap": "gray", "vmin": low, "vmax": high}


def probability() -> dict[str, object]:
    """Options that show a map of probabilities."""
    return {"cmap": PROBABILITY, "vmin": 0, "vmax": 1}


def show_image(
    axes: Axes,
    image: np.ndarray,
    pixel_size_A: float,
    corner_A: tuple[float, float] = (0.0, 0.0),
    **options: object,
) -> AxesImage:
    """Show an image with a scale bar; data coordinates are ``x_A, y_A``.

    The image has shape (H, W), or (H, W, 4) for colours with opacity. ``corner_A`` is the position
    ``(x, y)`` of the centre of its first pixel. Options are those of ``imshow``. Of a large image,
    means of as many pixels as are too small to be printed are shown.
    """
    step = unseen_pixels(axes, image)
    x, y = (edge - pixel_size_A / 2 for edge in corner_A)
    image, pixel_size_A = block_means(image, step), step * pixel_size_A
    height, width = image.shape[:2]
    extent = (x, x + width * pixel_size_A, y + height * pixel_size_A, y)
    shown = axes.imshow(image, extent=extent, **options)
    axes.set(xticks=[], yticks=[], anchor="NW")
    axes.spines[:].set_visible(False)
    scale_bar(axes)
    return shown


def unseen_pixels(axes: Axes, image: np.ndarray) -> int:
    """Along an axis, pixels of an image (H, W, …) in half a pixel of print; one at least."""
    print_px = axes.get_window_extent().size[::-1]
    return max(1, int(min(image.shape[:2] / print_px) / _PIXELS_PER_PRINTED))


def block_means(image: np.ndarray, step: int) -> np.ndarray:
    """Means of ``step``² pixels of an image (H, W, …); a rest at the far ends is left out."""
    if step == 1:
        return image
    for axis in (0, 1):
        whole = image.shape[axis] // step * step
        kept = image[:whole] if axis == 0 else image[:, :whole]
        image = np.add.reduceat(kept, np.arange(0, whole, step), axis) / step
    return image


def grey_limits(image: np.ndarray, usable: np.ndarray | None = None) -> tuple[float, float]:
    """Grey levels of black and white: half a percent of the usable pixels lies beyond either.

    Of a large image some pixels stand for all.
    """
    step = max(1, int((image.size / _ENOUGH_PIXELS) ** 0.5))
    image, usable = image[::step, ::step], None if usable is None else usable[::step, ::step]
    values = image if usable is None or not usable.any() else image[usable]
    low, high = np.percentile(values, (_CLIPPED_PERCENT, 100 - _CLIPPED_PERCENT))
    return float(low), float(high)


def scale_bar_length(width_A: float) -> float:
    """Length of a scale bar: 1, 2 or 5 times a power of ten [Å], at most 30 % of the width."""
    most = _SCALE_BAR_SHARE * width_A
    decade = 10.0 ** np.floor(np.log10(most))
    return float(decade * max(step for step in (1, 2, 5) if step * decade <= most * (1 + 1e-9)))


def length_text(length_A: float) -> str:
    """Write a length: in Å below 10 Å, else in nm."""
    return f"{length_A:g} Å" if length_A < 10 else f"{length_A / 10:g} nm"


def scale_bar(axes: Axes) -> AnchoredSizeBar:
    """Add a scale bar in the lower right corner of axes in Å."""
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


def discs(axes: Axes, points: np.ndarray, diameter_A: float, **look: object) -> None:
    """Draw circles round points of shape (N, 2), without moving the limits of the axes."""
    if len(points) == 0:
        return
    sizes = np.full(len(points), diameter_A)
    limits = axes.axis()
    axes.add_collection(
        EllipseCollection(
            sizes,
            sizes,
            np.zeros(len(points)),
            units="xy",
            offsets=points,
            offset_transform=axes.transData,
            **look,
        )
    )
    axes.axis(limits)


def faint_lines(axes: Axes, colour: str = "0.92", zorder: float = 0, **options: object) -> None:
    """Draw faint horizontal lines behind the curves of a panel."""
    axes.grid(axis="y", color=colour, linewidth=0.5, zorder=zorder, **options)
    axes.set_axisbelow(True)


def say(axes: Axes, text: str, **options: object) -> None:
    """Say why a panel is empty."""
    at = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, text, **at, **options)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=MUTED)


def symmetric_limit(values: np.ndarray, smallest: float) -> float:
    """Limit of a colour scale that runs from minus to plus it.

    It is 1, 2, 3 or 5 times a power of ten, no less than ``smallest``, and holds 98 % of the values
    that are numbers.
    """
    known = np.abs(values[np.isfinite(values)])
    least = max(smallest, float(np.percentile(known, 98)) if known.size else 0.0)
    decade = 10.0 ** np.floor(np.log10(least))
    steps = (1, 2, 3, 5, 10)
    return float(decade * min(step for step in steps if step * decade >= least * (1 - 1e-9)))
