"""Images made for the tests, and files of them."""

import numpy as np
import tifffile
from rsciio import hspy


def write_hspy(path, data, scales=(0.01, 0.01), units=("nm", "nm"), navigation=None):
    """Write a file in which every axis can be chosen."""
    navigation = data.ndim - 2 if navigation is None else navigation
    others = data.ndim - len(scales)
    known = zip(data.shape, (1.0,) * others + scales, ("",) * others + units, strict=True)
    axes = [
        {"name": f"axis_{number}", "size": size, "scale": scale, "units": unit}
        | {"_type": "UniformDataAxis", "offset": 0.0, "is_binned": False}
        | {"navigate": number < navigation}
        for number, (size, scale, unit) in enumerate(known)
    ]
    empty = ("original_metadata", "tmp_parameters", "learning_results", "models")
    signal = {
        "data": data,
        "axes": axes,
        "metadata": {"General": {"title": ""}, "Signal": {"signal_type": ""}},
        "attributes": {"_lazy": False},
        "package_info": {"package": "", "package_version": ""},
        **{name: {} for name in empty},
    }
    hspy.file_writer(str(path), signal, close_file=True)
    return path


def write_stack(path, data, size_nm=0.01):
    """Write a TIFF as ImageJ does."""
    metadata = {"unit": "nm", "axes": "TYX"[-data.ndim :]}
    tifffile.imwrite(path, data, imagej=True, resolution=(1 / size_nm,) * 2, metadata=metadata)
    return path


def blob(shape, centre, sigma):
    y, x = np.indices(shape)
    return np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * sigma**2)).astype("f4")


def centre_of_mass(image):
    y, x = np.indices(image.shape)
    return np.array([(image * y).sum(), (image * x).sum()]) / image.sum()
