"""Registration of images of different focus onto each other.

Images of different focus do not correlate as they are: the transfer function inverts the contrast
of one against that of the other at some spatial frequencies and not at others. It is the same in
all directions, though, so every ring of spatial frequencies has one sign. Images are compared ring
by ring, and only how well two rings agree counts, not in which sign: with the real part γ of
the coherence of N independent coefficients, the logarithm of the likelihood that they have a common
cause is -N log(1 - γ²), and the rings' add up to the score of a shift.

A crystal fits nearly as well one lattice vector further. What decides are its outline and its
defects, which lie between its reflections and are much weaker; so the amplitude of strong
coefficients is limited. Only what two shifted images have both in view counts (as in D. Padfield,
*IEEE Trans. Image Process.* 21, 2706 (2012)). All pairs of images decide together. Last, the
images are cropped to their common part and the shifts are refined to fractions of a pixel.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy  # whose stats only a focal series waits for
from scipy import fft, ndimage

from atomsight.errors import InputError
from atomsight.reading.micrographs.ring_spectra import (
    STEP_A,
    faded_contrast,
    grid_points,
    padded_size,
    ring_spectrum,
)

#: Largest shift between two images: this length [Å], or this share of the shorter edge.
_LARGEST_SHIFT_A, _LARGEST_SHIFT_SHARE = 20.0, 1 / 3

#: Shifts are this large more or less [Å]; it matters where lattice vectors tie.
_USUAL_SHIFT_A = 3.0

#: Peaks of the first pair of images that are followed up.
_CANDIDATES = 40

#: Distance of shifts that chance lets agree independently of each other [Å], and the probability of
#: taking chance for agreement.
_INDEPENDENT_A, _FALSE_ALARM = 0.5, 1e-6

#: The logarithm in the score stays finite where two rings agree entirely.
_FULL_AGREEMENT = 1.02


def register(
    images: np.ndarray, pixel_size_A: float, names: tuple[str, ...], where: str
) -> np.ndarray:
    """Find the shifts between images (F, H, W) of one specimen at different focus.

    The result is the displacement ``(x, y)`` of every image from their mean position [Å]; they sum
    to zero. What is at ``r`` in the mean coordinates is at ``r + displacement`` in the image.
    ``names`` is what to call the images in messages, ``where`` what they are of. InputError if
    nothing common to the images exceeds chance, or they have drifted too far apart.
    """
    images = np.asarray(images, np.float32)
    reach_A = min(_LARGEST_SHIFT_A, _LARGEST_SHIFT_SHARE * min(images.shape[1:]) * pixel_size_A)
    scores = _score_maps(images, pixel_size_A, reach_A)
    shifts_A = _search(scores)
    _check_reach(scores, shifts_A, names, where)
    _check_common(scores, shifts_A, names, where)
    for _ in range(2):
        shifts_A = _refine(images, pixel_size_A, shifts_A)
    return shifts_A - shifts_A.mean(axis=0)


@dataclass(frozen=True)
class _ScoreMaps:
    """How well pairs of images agree at every shift.

    ``pairs`` has the score of the second image against the first, shape (2 R_y + 1, 2 R_x + 1), no
    shift in the middle; ``step_A`` is the step ``(y, x)`` of these maps [Å].
    """

    pairs: dict[tuple[int, int], np.ndarray]
    step_A: np.ndarray
    rings: int
    images: int

    @property
    def middle(self) -> np.ndarray:
        """Index of no shift in the maps."""
        return np.array(next(iter(self.pairs.values())).shape) // 2


def _score_maps(images: np.ndarray, pixel_size_A: float, reach_A: float) -> _ScoreMaps:
    """Score every shift of every pair of images on a grid."""
    faded, fade = faded_contrast(images, pixel_size_A)
    spectrum = ring_spectrum(faded, pixel_size_A, reach_A)
    size = padded_size(images.shape[1:], pixel_size_A, reach_A)
    grid = grid_points(size, pixel_size_A)
    step_A = np.array(size) * pixel_size_A / grid
    reach = (reach_A / step_A).astype(int)
    in_view = np.zeros(grid)
    in_view[
        tuple(slice(round(edge)) for edge in np.array(images.shape[1:]) * pixel_size_A / step_A)
    ] = 1
    window = fft.rfft2(in_view)

    def near(product: np.ndarray) -> np.ndarray:
        turned = np.roll(fft.irfft2(product, grid), reach, (0, 1))
        return turned[: 2 * reach[0] + 1, : 2 * reach[1] + 1]

    common = near(np.conj(window) * window) / in_view.sum()
    share = np.mean(fade**2) * fade.size / np.prod(size)
    pairs = dict.fromkeys(combinations(range(len(images)), 2), 0)
    for number in range(spectrum.rings):
        fields = fft.irfft2(np.where(spectrum.ring == number, spectrum.values, 0), grid) * in_view
        parts, powers = fft.rfft2(fields), fft.rfft2(fields**2)
        for first, second in pairs:
            agreement = near(np.conj(parts[first]) * parts[second])
            seen_first = near(np.conj(powers[first]) * window)
            seen_second = near(np.conj(window) * powers[second])
            both = seen_first * seen_second
            both = np.maximum(both, 1e-6 * both.max() + np.finfo("f4").tiny)
            count = share * spectrum.independent(first, second)[number]
            evidence = _evidence(np.minimum(agreement**2 / both, 1), count * common)
            pairs[first, second] = pairs[first, second] + evidence
    return _ScoreMaps(pairs, step_A, spectrum.rings, len(images))


def _evidence(square: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Twice the logarithm of the likelihood ratio of a squared coherence of so many coefficients.

    Without a common cause it is distributed nearly as chi-square of one degree of freedom.
    """
    return -2 * np.maximum(count - 1, 0) * np.log1p(-square / _FULL_AGREEMENT)


def _search(scores: _ScoreMaps) -> np.ndarray:
    """Find the shifts that suit all pairs of images best, on the grid of the maps.

    The best places of the pair that agrees best are tried one by one. The other images follow in
    turn, each where it agrees best with those that are placed; then each is placed again. Gives the
    displacement ``(x, y)`` of every image from one of them [Å].
    """
    middle = scores.middle
    y_A, x_A = (np.arange(-reach, reach + 1) for reach in middle)
    distance_A = np.hypot(y_A[:, None] * scores.step_A[0], x_A * scores.step_A[1])
    usual = (distance_A / _USUAL_SHIFT_A) ** 2
    maps = {pair: score - usual for pair, score in scores.pairs.items()}
    first, second = max(maps, key=lambda pair: maps[pair].max())
    trials = [
        _place({first: np.zeros(2, int), second: place - middle}, maps, scores.images)
        for place in _peaks(maps[first, second])
    ]
    placed = max(trials, key=lambda trial: _total(trial, maps, middle))
    return (
        np.stack([placed[image] for image in range(scores.images)])[:, ::-1] * scores.step_A[::-1]
    )


def _peaks(score: np.ndarray) -> np.ndarray:
    """Places of the highest local maxima of a map, the highest first, shape (P, 2)."""
    places = np.argwhere(ndimage.maximum_filter(score, 3) == score)
    return places[np.argsort(-score[tuple(places.T)])[:_CANDIDATES]]


def _place(placed: dict, maps: dict, images: int) -> dict:
    """Place the images that are not placed yet, then every image again."""
    missing = [image for image in range(images) if image not in placed]
    for image in [*missing, *list(placed)[1:], *missing]:
        others = {other: place for other, place in placed.items() if other != image}
        score = sum(_seen_from(maps, other, image, place) for other, place in others.items())
        place = np.array(np.unravel_index(score.argmax(), score.shape))
        placed = others | {image: place - np.array(score.shape) // 2}
    return placed


def _seen_from(maps: dict, other: int, image: int, place: np.ndarray) -> np.ndarray:
    """Score of every place of an image, from its agreement with another that is placed."""
    score = maps[other, image] if other < image else maps[image, other][::-1, ::-1]
    return ndimage.shift(score, place, order=0, cval=min(0, float(score.min())))


def _total(placed: dict, maps: dict, middle: np.ndarray) -> float:
    return sum(_at(score, placed[j] - placed[i] + middle) for (i, j), score in maps.items())


def _at(score: np.ndarray, place: np.ndarray) -> float:
    """Value of a map; zero outside."""
    inside = (place >= 0).all() and (place < score.shape).all()
    return float(score[tuple(place)]) if inside else 0.0


def _check_reach(
    scores: _ScoreMaps, shifts_A: np.ndarray, names: tuple[str, ...], where: str
) -> None:
    """Refuse shifts at the edge of the search range: the true ones lie beyond it."""
    places = np.rint(shifts_A[:, ::-1] / scores.step_A)
    for first, second in scores.pairs:
        if (np.abs(places[second] - places[first]) >= scores.middle - 1).any():
            reach_A = (scores.middle * scores.step_A).min()
            raise InputError(
                f"{where}: {names[second]} seems to have drifted by {reach_A:.0f} Å or more "
                f"against {names[first]}; crop the images to the same part of the specimen, or "
                "record them with less drift"
            )


def _check_common(
    scores: _ScoreMaps, shifts_A: np.ndarray, names: tuple[str, ...], where: str
) -> None:
    """Refuse images that do not agree with the others more than by chance."""
    groups = [[image] for image in range(scores.images)]
    agreement = _agreement(scores, shifts_A)
    while len(groups) > 1:
        one, other = max(
            combinations(groups, 2), key=lambda pair: _against_chance(*pair, agreement, scores)
        )
        if _against_chance(one, other, agreement, scores) < 1:
            break
        groups = [group for group in groups if group not in (one, other)] + [one + other]
    together = max(groups, key=len)
    unmatched = [name for image, name in enumerate(names) if image not in together]
    if unmatched:
        raise InputError(
            f"{where}: {', '.join(unmatched)} cannot be registered with the other images of the "
            f"focal series, {', '.join(names[image] for image in sorted(together))}: they have "
            "nothing in common above the noise; exclude the focal series with the column frames, "
            "or record it with more dose and less drift"
        )


def _agreement(scores: _ScoreMaps, shifts_A: np.ndarray) -> np.ndarray:
    """Scores of all pairs at their shifts, in units of their mean by chance, shape (F, F)."""
    places = np.rint(shifts_A[:, ::-1] / scores.step_A).astype(int)
    agreement = np.zeros((scores.images, scores.images))
    for (first, second), score in scores.pairs.items():
        found = _at(score, places[second] - places[first] + scores.middle)
        # Crystals agree a little at any shift.
        by_chance = max(score.mean() / scores.rings, np.finfo("f4").tiny)
        agreement[first, second] = agreement[second, first] = found / by_chance
    return agreement


def _against_chance(
    one: list[int], other: list[int], agreement: np.ndarray, scores: _ScoreMaps
) -> float:
    """Agreement of two groups of images over the limit that chance hardly exceeds."""
    span_A = 2 * scores.middle * scores.step_A
    trials = max(1.0, float(np.prod(span_A / _INDEPENDENT_A)))
    freedom = scores.rings * len(one) * len(other)
    limit = scipy.stats.chi2.isf(_FALSE_ALARM / trials, freedom)
    return agreement[np.ix_(one, other)].sum() / limit


def _refine(images: np.ndarray, pixel_size_A: float, shifts_A: np.ndarray) -> np.ndarray:
    """Crop images to their common part, and refine their shifts to fractions of a pixel."""
    whole = np.rint(shifts_A / pixel_size_A).astype(int)
    starts, size = whole - whole.min(axis=0), images.shape[:0:-1] - np.ptp(whole, axis=0)
    cut = [
        image[y : y + size[1], x : x + size[0]]
        for image, (x, y) in zip(images, starts, strict=True)
    ]
    faded, fade = faded_contrast(np.stack(cut), pixel_size_A)
    spectrum = ring_spectrum(faded, pixel_size_A, 0)
    chosen = spectrum.ring >= 0
    k = np.stack([np.broadcast_to(along, chosen.shape)[chosen] for along in spectrum.k[::-1]])
    ring = spectrum.ring[chosen]
    values = spectrum.values[:, chosen]
    weight = np.broadcast_to(spectrum.weight, chosen.shape)[chosen]
    pairs = [
        (
            i,
            j,
            weight * np.conj(values[i]) * values[j],
            np.mean(fade**2) * spectrum.independent(i, j),
        )
        for i, j in combinations(range(len(images)), 2)
    ]

    def cost(shifts: np.ndarray) -> tuple[float, np.ndarray]:
        shifts = shifts.reshape(-1, 2)
        total, slope = 0.0, np.zeros_like(shifts)
        for i, j, product, count in pairs:
            turned = product * np.exp(2j * np.pi * ((shifts[j] - shifts[i]) @ k))
            coherence = np.bincount(ring, turned.real)
            total -= _evidence(coherence**2, count).sum()
            rise = 4 * np.maximum(count - 1, 0) * coherence / (_FULL_AGREEMENT - coherence**2)
            along = -2 * np.pi * k @ (rise[ring] * turned.imag)
            slope[j] -= along
            slope[i] += along
        return total, slope.ravel()

    start_A = shifts_A - whole * pixel_size_A
    reach_A = 2 * max(STEP_A, pixel_size_A)
    limits = [(value - reach_A, value + reach_A) for value in start_A.ravel()]
    found = scipy.optimize.minimize(cost, start_A.ravel(), jac=True, bounds=limits)
    return whole * pixel_size_A + found.x.reshape(-1, 2)
