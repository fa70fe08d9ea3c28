"""Micrographs of any microscope: vendor files in, calibrated frames out.

A file's image is chosen, its pixel size is found, and its frames are cleaned and brought to a pixel
size that a model can read, one frame or one focal series at a time. The centre of the first pixel
stays the origin, see :mod:`atomsight.geometry`.

``series`` builds on all the others: ``recordings`` (vendor files, by their ``axes``),
``calibration`` (pixel sizes), ``cleaning`` (unusable pixels), ``resampling`` and
``registration`` (of focal series, by their ``ring_spectra``).
"""
