"""What stands on the page of a figure."""

from matplotlib.axes import Axes
from matplotlib.text import Text
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar


def words(figure):
    """Every word of a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))


def assert_shows(figure, *said):
    """Nothing is cut off, images have a scale bar, and what is to be said is there; the words."""
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    beyond = max(-box.x0, -box.y0, box.x1 - width, box.y1 - height)
    assert beyond < 0.005, f"something reaches {beyond:.3f} inches beyond the page"
    for axes in figure.findobj(Axes):
        if axes.images and axes.get_aspect() == 1:
            assert len(scale_bars(axes)) == 1
    found = words(figure)
    missing = [part for part in said if part not in found]
    assert not missing, missing
    return found


def maps(figure):
    """The panels that have a scale bar."""
    return [axes for axes in figure.findobj(Axes) if scale_bars(axes)]


def scale_bars(axes):
    return [child for child in axes.get_children() if isinstance(child, AnchoredSizeBar)]
