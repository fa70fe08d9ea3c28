"""Counting the atoms of columns: a benchmark on simulated focal series, and what else can count.

Beside the network stand two other ways, on the same images: a mixture model of integrated
intensities (:mod:`.intensity_mixture`) and the most similar of simulated columns
(:mod:`.column_library`). Both are told where the columns are; the network finds them itself.
"""
