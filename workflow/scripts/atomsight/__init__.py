"""Find atoms and atomic columns in high-resolution TEM images.

The method is that of Madsen et al., *Adv. Theory Simul.* **1**, 1800037 (2018), called "the paper"
throughout. Units, axes and signs are stated once, in :mod:`atomsight.geometry`.
"""

import os

# A file of ours appears when it is whole and is then left alone: nobody needs HDF5 to lock it, and
# some file systems of clusters cannot. HDF5 and Keras read this when they are loaded.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

# abTEM's default measures which of several Fourier transforms is fastest just now; they differ in
# the last digit, and so would two runs. (It reads its settings as dask does, by this prefix.)
os.environ.setdefault("DASK_FFTW__PLANNING_EFFORT", "FFTW_ESTIMATE")

__version__ = "0.1.0"
