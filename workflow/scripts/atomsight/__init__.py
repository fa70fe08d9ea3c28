"""Find atoms and atomic columns in high-resolution TEM images.

The method is that of Madsen et al., *Adv. Theory Simul.* **1**, 1800037 (2018), called "the paper"
throughout. Units, axes and signs are stated once, in :mod:`atomsight.geometry`.
"""

__version__ = "0.1.0"
