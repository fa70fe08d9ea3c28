"""Particles made for the tests of the figure that shows some."""

import numpy as np

from atomsight.files.records import Structure


def particle(across=5, height=3, supported=True):
    """A block of gold columns 2 Å apart, beside a plate of carbon."""
    x, y = np.meshgrid(np.arange(across), np.arange(across))
    sites = 2.0 * np.stack([x.ravel(), y.ravel()], axis=-1) + 10
    heights = np.full(len(sites), height)
    heights[0] = 1
    column = np.repeat(np.arange(len(sites)), heights)
    z = np.concatenate([2.9 * np.arange(count) for count in heights])
    gold = np.column_stack([sites[column], z])
    carbon = np.random.default_rng(0).uniform(0, [40, 8, 20], (200 if supported else 0, 3))
    return Structure(
        positions=np.concatenate([carbon, gold]),
        numbers=np.repeat([6, 79], [len(carbon), len(gold)]),
        cell_A=np.array([40.0, 40.0, 30.0]),
        sites=sites,
        classes=heights,
    )
