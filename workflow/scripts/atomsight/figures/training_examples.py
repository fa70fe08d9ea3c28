"""What a network is trained on: images and their truth at rising dose (the paper, Fig 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from keras import ops
from matplotlib.figure import Figure

from atomsight.figures import style
from atomsight.files.records import Waves
from atomsight.imaging.conditions import MicroscopeSettings
from atomsight.imaging.microscope import Microscope
from atomsight.learning.examples import CAMERA_MARGIN_PX, ExampleStream, ImagingAndTruth


@dataclass(frozen=True)
class Example:
    """One training example and its conditions.

    Attributes
    ----------
    image : ndarray of shape (H, W)
        Simulated image, in units of the mean number of electrons per pixel.
    normalised : ndarray of shape (H, W)
        What the network sees.
    truth : ndarray of shape (H, W)
        What it should say: one minus the probability of the background.
    pixel_size_A : float
        Size of a pixel [Å].
    dose_e_per_A2 : float
        Dose [e/Å²].
    defocus_A : float
        Defocus, underfocus positive [Å].
    cs_um, c5_mm : float
        Spherical aberration of third [µm] and fifth order [mm].
    astigmatism_A : float
        Twofold astigmatism [Å].
    """

    image: np.ndarray
    normalised: np.ndarray
    truth: np.ndarray
    pixel_size_A: float
    dose_e_per_A2: float
    defocus_A: float
    cs_um: float
    c5_mm: float
    astigmatism_A: float


@dataclass(frozen=True)
class ExampleSettings:
    """How examples are made, as in the training.

    Attributes
    ----------
    microscope : MicroscopeSettings
        Ranges of the conditions.
    image_px : int
        Edge of an image [pixel].
    site_sigma_A : float
        Standard deviation of the Gaussian of a site [Å].
    window_A : float
        Standard deviation of the window of the normalisation [Å].
    classes : int
        Number of classes, the background included.
    """

    microscope: MicroscopeSettings
    image_px: int
    site_sigma_A: float
    window_A: float
    classes: int


#: Places and sizes [inch].
_PANEL = 1.36
_GAP = 0.07
_LABELS = 0.2
_CONDITIONS = 0.62
_MARGIN = 0.06

_ROWS = {"a": "simulated image", "b": "normalised image", "c": "ground truth"}


def make_examples(
    waves: Waves, settings: ExampleSettings, doses: Sequence[float], seed: int
) -> list[Example]:
    """Make training examples of given doses, all other conditions drawn at random.

    Parameters
    ----------
    waves : Waves
        Exit waves to draw from.
    settings : ExampleSettings
        How examples are made.
    doses : sequence of float
        Doses [e/Å²].
    seed : int
        Seed of everything random.

    Returns
    -------
    list of Example
        One for every dose.
    """
    table = settings.microscope.mtf.table
    microscope = Microscope(
        waves.spectra.shape[-1], waves.cell_A, waves.energy_eV, mtf_table=table or None
    )
    imaging = ImagingAndTruth(microscope, settings.site_sigma_A, settings.window_A)
    examples = []
    for step, dose in enumerate(doses):
        stream = ExampleStream(
            waves,
            replace(settings.microscope, dose_e_per_A2=(dose, dose)),
            None,
            batch=1,
            image_px=settings.image_px,
            on_sites=0.0,
            blank_share=0.0,
            classes=settings.classes,
            seed=seed,
            steps=len(doses),
        )
        examples.append(_make_example(stream[step][0], microscope, imaging))
    return examples


def _make_example(
    inputs: dict[str, np.ndarray], microscope: Microscope, imaging: ImagingAndTruth
) -> Example:
    inner = slice(CAMERA_MARGIN_PX, -CAMERA_MARGIN_PX)
    # The noise is drawn from the seed among the inputs: both images have the same.
    image = ops.convert_to_numpy(microscope(inputs))[0, 0, inner, inner]
    normalised, truth = (ops.convert_to_numpy(part)[0] for part in imaging(inputs))
    c10, c12a, c12b, c30, c50 = inputs["aberrations"][0, 0]
    return Example(
        image=image.T if inputs["turned"][0] else image,
        normalised=normalised[..., 0],
        truth=1 - truth[..., 0],
        pixel_size_A=float(inputs["pixel_size"][0]),
        dose_e_per_A2=float(inputs["dose"][0, 0]),
        defocus_A=-float(c10),
        cs_um=float(c30) * 1e-4,
        c5_mm=float(c50) * 1e-7,
        astigmatism_A=float(np.hypot(c12a, c12b)),
    )


@style.styled()
def draw(examples: Sequence[Example]) -> Figure:
    """Draw examples side by side, their conditions above them.

    Parameters
    ----------
    examples : sequence of Example
        The examples, from the left.

    Returns
    -------
    Figure
        One column per example: image, normalised image, ground truth.
    """
    step = _PANEL + _GAP
    left, top = _MARGIN + _LABELS, _MARGIN + _CONDITIONS
    width, height = left + len(examples) * step, top + len(_ROWS) * step
    figure = Figure(figsize=(width, height))
    for row, (mark, label) in enumerate(_ROWS.items()):
        style.write(figure, _MARGIN, top + row * step, mark, weight="bold", size=9)
        middle = top + row * step + _PANEL / 2
        look = {"rotation": 90, "ha": "left", "va": "center", "size": 7.5}
        figure.text(_MARGIN / width, 1 - middle / height, label, **look)
    for column, example in enumerate(examples):
        x = left + column * step
        dose = f"{float(f'{example.dose_e_per_A2:.2g}'):,.0f} e/Å²"
        style.write(figure, x, _MARGIN, dose, weight="bold", size=8)
        style.write(figure, x, _MARGIN + 0.16, conditions(example), linespacing=1.3, size=6.5)
        axes = [style.place(figure, x, top + row * step, _PANEL, _PANEL) for row in range(3)]
        for panel, image in zip(axes, (example.image, example.normalised), strict=False):
            low, high = style.grey_limits(image)
            style.show_image(panel, image, example.pixel_size_A, cmap="gray", vmin=low, vmax=high)
        probability = {"cmap": style.PROBABILITY, "vmin": 0, "vmax": 1}
        style.show_image(axes[2], example.truth, example.pixel_size_A, **probability)
    return figure


def conditions(example: Example) -> str:
    """Write the conditions of an example.

    Parameters
    ----------
    example : Example
        The example.

    Returns
    -------
    str
        Several lines.
    """
    return (
        f"defocus {_signed(example.defocus_A, 0)} Å, astig. {example.astigmatism_A:.0f} Å\n"
        f"Cs {_signed(example.cs_um, 1)} µm, C5 {example.c5_mm:.1f} mm\n"
        f"{example.pixel_size_A:.3f} Å per pixel"
    )


def _signed(value: float, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", "−")
