"""Cameras and doses of the evaluations, and whether a model was trained on them."""

import pandas as pd
from made_models import ranges

from atomsight.config.evaluation import ColumnEvaluationSettings
from atomsight.evaluation.exposures import exposures, mark_trained, noise_seed

CHOSEN = ColumnEvaluationSettings.parse(
    {
        "doses_e_per_A2": [50, 1000],
        "cameras": {"ideal": None, "direct": "config/cameras/gatan_k3_300kv.yaml"},
        "camera_doses_e_per_A2": [1000],
    }
)
OPTICS = CHOSEN.acquisition.exposure()


def test_the_main_camera_takes_all_doses_and_others_some():
    images = list(exposures(CHOSEN, OPTICS))
    assert [(camera, one.dose_e_per_A2) for camera, one in images] == [
        ("main", 50),
        ("main", 1000),
        ("ideal", 1000),
        ("direct", 1000),
    ]
    _, main, ideal, direct = (one for _, one in images)
    assert ideal.mtf is None
    assert len(direct.mtf.table) > 20
    assert ideal.but(mtf=main.mtf) == direct.but(mtf=main.mtf) == main


def test_all_cameras_see_the_same_electrons_at_a_dose_whatever_the_other_doses():
    seeds = {
        (one, exposure.dose_e_per_A2): noise_seed([3, 1], exposure)
        for one, exposure in exposures(CHOSEN, OPTICS)
    }
    assert seeds["main", 1000] == seeds["ideal", 1000] == seeds["direct", 1000]
    assert seeds["main", 50] != seeds["main", 1000]
    (_, alone), *_ = exposures(CHOSEN.but(doses_e_per_A2=(1000,)), OPTICS)
    assert noise_seed([3, 1], alone) == seeds["main", 1000]


def test_no_two_doses_share_their_noise():
    few = CHOSEN.but(doses_e_per_A2=(0.2, 0.4, 10, 10.2), cameras={})
    seeds = [noise_seed([3, 1], exposure) for _, exposure in exposures(few, OPTICS)]
    assert len(set(map(tuple, seeds))) == 4


def marks(trained, defocus_A=(-70,)):
    names = ["main", "main", "ideal", "direct"]
    table = pd.DataFrame({"camera": names, "dose_e_per_A2": [50, 1000, 1000, 1000]})
    return mark_trained(table, CHOSEN, trained, defocus_A)["in_range"].tolist()


def test_a_row_is_in_range_if_dose_camera_and_every_defocus_are():
    scintillators = {"c2": [0.4, 0.6]}
    microscope = {"energy_eV": 300000, "vibration_A": [0, 0.2], "mtf": scintillators}
    trained = ranges(**microscope)
    assert marks(trained) == [False, True, False, True]
    assert marks(trained, (-95, -70)) == [False, True, False, True]
    assert marks(trained, (-95, -60)) == [False] * 4
    assert marks(ranges(**microscope | {"mtf": {"c2": [0.4, 5]}})) == [False, True, True, True]
    assert marks(ranges(**microscope | {"energy_eV": 80000})) == [False] * 4
