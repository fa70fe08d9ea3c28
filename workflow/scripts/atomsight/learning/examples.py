"""Training examples: what is drawn for a step, and the model that makes images and truth of it.

What is random (which wave, which conditions, where the pixels lie) is drawn from the seed and the
number of the step alone. A training that was stopped continues with the very examples it would have
had.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from keras import ops

from atomsight.config.microscope import MicroscopeSettings
from atomsight.config.training import CurriculumSettings
from atomsight.errors import InputError
from atomsight.files.records import Waves
from atomsight.imaging import ground_truth, normalisation
from atomsight.imaging.conditions import draw_conditions, mix_in_favourable, place_pixels, ranges_at
from atomsight.imaging.microscope import Microscope
from atomsight.learning import backend, blank_areas

#: Pixels computed around an image and cut away again, so that the camera's blur does not wrap.
CAMERA_MARGIN_PX = 8


class ExampleStream:
    """Inputs of :class:`ImagingAndTruth`, for any of ``steps``.

    Without a ``curriculum`` the ranges are full from the beginning. ``on_sites`` is the share of
    the examples whose middle lies near a site, the others lie anywhere; of the ``blank_share`` a
    part is blank; ``classes`` counts the background.
    """

    def __init__(
        self,
        waves: Waves,
        microscope: MicroscopeSettings,
        curriculum: CurriculumSettings | None,
        *,
        batch: int,
        image_px: int,
        on_sites: float,
        blank_share: float,
        classes: int,
        seed: int,
        steps: int,
    ):
        self.waves = waves
        self.microscope = microscope
        self.curriculum = curriculum
        self.batch = batch
        self.image_px = image_px
        self.on_sites = on_sites
        self.blank_share = blank_share
        self.seed = seed
        self.steps = steps
        # Real and imaginary parts as a last axis, without a copy.
        spectra = np.ascontiguousarray(waves.spectra)
        self._spectra = spectra.view("float32").reshape(*spectra.shape, 2)
        self._sites, self._site_classes = pad_sites(waves, classes)

    def inputs(self, step: int) -> dict[str, np.ndarray]:
        """Draw those of a step, counted from zero, from the seed and its number alone."""
        rng = np.random.default_rng([self.seed, step])
        ranges = self.microscope
        if self.curriculum:
            progress = step / self.steps
            ranges = ranges_at(progress, self.microscope, self.curriculum)
        chosen = rng.integers(len(self._spectra), size=self.batch)
        conditions = draw_conditions(ranges, self.batch, rng)
        size = self.image_px + 2 * CAMERA_MARGIN_PX
        place_rng, error_rng, blank_rng, kept_rng = rng.spawn(4)
        if self.curriculum:
            conditions = mix_in_favourable(conditions, ranges, self.curriculum, progress, kept_rng)
        grid = place_pixels(
            conditions["pixel_size"],
            self.waves.cell_A,
            size,
            rng,
            middles_A=self._middles(chosen, conditions["pixel_size"], place_rng),
            offsets_A=self._registration_errors(error_rng),
        )
        inputs = conditions | grid
        inputs["spectra"] = self._spectra[chosen]
        inputs["sites"] = self._sites[chosen]
        inputs["site_classes"] = self._site_classes[chosen]
        if self.blank_share:
            inputs |= blank_areas.draw(self.batch, self.image_px, self.blank_share, blank_rng)
        inputs["seed"] = rng.integers(2**31, size=2, dtype="int32")
        return inputs

    def _middles(
        self, chosen: np.ndarray, pixel_size_A: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Where images lie: up to a quarter of their edge from a site, NaN for anywhere."""
        middles = np.full((self.batch, 2), np.nan)
        reach = self.image_px * pixel_size_A / 4
        for index in np.flatnonzero(rng.random(self.batch) < self.on_sites):
            sites = self.waves.sites[chosen[index]]
            if len(sites):
                near = rng.uniform(-reach[index], reach[index], 2)
                middles[index] = sites[rng.integers(len(sites))] + near
        return middles

    def _registration_errors(self, rng: np.random.Generator) -> np.ndarray:
        """Offsets of the images of every series, zero on average [Å]."""
        series = self.microscope.focal_series
        shape = (self.batch, len(series.steps_A), 2)
        offsets = series.registration_error_A * rng.standard_normal(shape)
        return offsets - offsets.mean(axis=1, keepdims=True)


def pad_sites(waves: Waves, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Pad the sites of all waves to equal numbers.

    Gives their positions ``(x, y)`` of shape (W, S, 2) [Å] and their classes of shape (W, S, C -
    1): one where a site is of a class, from class 1 on, and zero in the padding. The last class
    takes all sites from its number on, so that a network of one class finds every site, whatever
    its class.
    """
    most = max(len(sites) for sites in waves.sites)
    sites = np.zeros((len(waves.sites), most, 2), "float32")
    site_classes = np.zeros((len(waves.sites), most, classes - 1), "float32")
    for index, (positions, kinds) in enumerate(zip(waves.sites, waves.classes, strict=True)):
        sites[index, : len(positions)] = positions
        site_classes[index, np.arange(len(kinds)), np.minimum(kinds, classes - 1) - 1] = 1
    return sites, site_classes


def split_waves(waves: Waves, validation_share: float) -> tuple[Waves, Waves]:
    """Keep a share of the waves, at least one, aside for the validation loss.

    Raises ``InputError`` if there are fewer than two waves.
    """
    count = len(waves.spectra)
    if count < 2:
        raise InputError(
            "training needs at least two structures, one of them for the validation; "
            "raise structures.count"
        )
    kept = max(1, round(count * validation_share))
    return _take(waves, slice(0, count - kept)), _take(waves, slice(count - kept, count))


def _take(waves: Waves, part: slice) -> Waves:
    return Waves(
        waves.spectra[part], waves.cell_A, waves.energy_eV, waves.sites[part], waves.classes[part]
    )


class ImagingAndTruth(keras.Model):
    """From waves and conditions to what the network sees and what it should say.

    ``site_sigma_A`` is the standard deviation of the Gaussian of a site, ``window_A`` that of the
    window of the normalisation.

    Input: the inputs of :class:`Microscope` and ``sites`` (B, S, 2), ``site_classes`` (B, S, C -
    1), ``turned`` (B,) and, where parts are blank, ``blank`` (B, H, W) and ``blank_level`` (B,).
    Output: normalised images (B, H, W, F) and class maps (B, H, W, C), the latter where the images
    of a focal series lie on average.
    """

    def __init__(self, microscope: Microscope, site_sigma_A: float, window_A: float):
        super().__init__()
        self.microscope = microscope
        self.site_sigma_A = site_sigma_A
        self.window_A = window_A
        self.compile(jit_compile=backend.how_to_compile())

    def call(self, inputs: dict[str, keras.KerasTensor]) -> tuple:
        inner = slice(CAMERA_MARGIN_PX, -CAMERA_MARGIN_PX)
        images = self.microscope(inputs)[..., inner, inner]
        if "blank" in inputs:
            images = blank_areas.blank_images(images, inputs["blank"], inputs["blank_level"])
        images = normalisation.normalise(images, self.window_A / inputs["pixel_size"])
        turned = inputs["turned"]
        images = ops.where(turned[:, None, None, None], ops.swapaxes(images, -1, -2), images)
        truth = self._truth(inputs, inner)
        if "blank" in inputs:
            blank = inputs["blank"]
            turned_blank = ops.where(turned[:, None, None], ops.swapaxes(blank, -1, -2), blank)
            truth = blank_areas.blank_truth(truth, turned_blank)
        return ops.transpose(images, (0, 2, 3, 1)), truth

    def _truth(self, inputs: dict[str, keras.KerasTensor], inner: slice) -> keras.KerasTensor:
        """Class maps of the turned images: it is cheaper to turn what they are made of."""
        turned = inputs["turned"][:, None]

        def exchange(y: keras.KerasTensor, x: keras.KerasTensor) -> tuple:
            return ops.where(turned, x, y), ops.where(turned, y, x)

        rows, columns = (ops.mean(inputs[name], axis=1)[:, inner] for name in ("rows", "columns"))
        period_x, period_y = self.microscope.cell_A
        return ground_truth.class_maps(
            *exchange(rows, columns),
            ops.where(turned[..., None], ops.flip(inputs["sites"], axis=-1), inputs["sites"]),
            inputs["site_classes"],
            self.site_sigma_A,
            exchange(period_x, period_y),
        )


class Examples:
    """Images and truth of any step of a stream, made by one compiled function."""

    def __init__(self, stream: ExampleStream, imaging: ImagingAndTruth):
        self.steps = stream.steps
        self._stream = stream
        self._imaging = imaging

    def of(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Make normalised images (B, H, W, F) and class maps (B, H, W, C)."""
        return self._imaging.predict_on_batch(self._stream.inputs(step))

    def ahead(self, steps: Iterable[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give those of one step after another; the next are made while these are in use."""
        with ThreadPoolExecutor(max_workers=1) as maker:
            making = None
            for step in steps:
                before, making = making, maker.submit(self.of, step)
                if before is not None:
                    yield before.result()
            if making is not None:
                yield making.result()
