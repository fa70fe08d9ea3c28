"""What stands on the page of a figure."""

from matplotlib.axes import Axes
from matplotlib.text import Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar


def words(figure):
    """Every word of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def check(figure, *said):
    """Nothing is cut off, and all that is to be said stands there; gives the words."""
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert max(-box.x0, -box.y0, box.x1 - width, box.y1 - height) < 0.005  # inch
    found = words(figure)
    assert [part for part in said if part not in found] == []
    return found


def maps(figure):
    """The panels that have a scale bar, of which none has two."""
    bars = {axes: scale_bars(axes) for axes in figure.findobj(Axes)}
    assert max(map(len, bars.values())) <= 1
    return [axes for axes, found in bars.items() if found]


def scale_bars(axes):
    return [child for child in axes.get_children() if isinstance(child, AnchoredSizeBar)]
