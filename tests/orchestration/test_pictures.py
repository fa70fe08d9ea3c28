"""The rule of figures: what every picture is drawn from, and what an edit redraws."""

from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import plot
from atomsight.figures import FIGURES
from atomsight.orchestration import pictures
from atomsight.orchestration.folders import Folders

ROOT = Path(plot.__file__).parents[2]
FINDS = {"graphene": "atoms", "gold": "columns", "gold_heights": "heights"}
ROWS = {"sheet": "graphene", "particle": "gold", "counted": "gold_heights", "mine": "gold_heights"}


class Rows:
    """Rows of a sheet, as far as figures ask; those but "mine" are simulated."""

    configuration = MappingProxyType({"series": "series.tsv", "image_counts": []})
    models = SimpleNamespace(
        sections={},
        facts=lambda name: {"material": "nanoparticle"},
        finds=FINDS.get,
        trained=lambda kind: [],
        shipping=lambda kind: [name for name, found in FINDS.items() if found == kind],
        evaluated=lambda kind: [name for name, found in FINDS.items() if found == kind],
    )

    def read_by(self, kind):
        return [name for name, model in ROWS.items() if FINDS[model] == kind]

    def model(self, name):
        return ROWS[name]

    def title(self, name):
        return f"about {name}"

    def dose_e_per_A2(self, name):
        return 300.0

    def simulation(self, name, kind):
        return None if name == "mine" else name

    def truth(self, name, kind):
        return [] if name == "mine" else [f"results/acquisitions/{name}_truth.h5"]

    def comparisons(self):
        return {}


def drawing(path):
    found = pictures.drawings(Rows(), Folders(ROOT, Path("/elsewhere")))
    return next(one for one in found if one.picture.path == path)


HEIGHTS = "results/series/{series}/heights.png"


def test_a_picture_is_drawn_from_named_files_and_options_by_one_script():
    files = drawing(HEIGHTS).files(SimpleNamespace(series="counted"))
    assert files == {
        "frames": ["results/series/counted/frames.h5"],
        "heights": ["results/series/counted/heights.csv"],
        "truth": ["results/acquisitions/counted_truth.h5"],
    }
    words = drawing(HEIGHTS).words(SimpleNamespace(series="mine"))
    assert words[:2] == ["--frames", "results/series/mine/frames.h5"]
    assert words[-4:] == ["--dose", "300.0", "--title", "about mine"]


def test_files_of_several_series_go_by_the_name_of_the_series():
    one = drawing("results/figures/fig10_occurrence_events.png")
    assert one.files(None)["sites"] == ["results/series/particle/sites.h5"]
    assert "particle=about particle" in one.words(None)


def test_a_picture_is_there_for_the_series_and_models_that_it_shows():
    assert drawing(HEIGHTS).limits == {"series": ["counted", "mine"]}
    dose = drawing("results/{of}/{model}/dose.png")
    assert dose.limits == {"model": ["graphene"]}
    assert dose.note == "plot_dose/{of}_{model}"
    assert dose.labels == {"model": "{model}", "figure": "dose"}
    assert "the model graphene" in dose.caption(SimpleNamespace(of="models", model="graphene"))


def test_a_figure_that_needs_keras_waits_for_the_gpu():
    examples = drawing("results/figures/fig05_training_examples.png")
    assert (examples.conda, examples.network, examples.memory_MB) == ("learn", 1, 3000)
    assert (drawing(HEIGHTS).conda, drawing(HEIGHTS).network) == ("analyse", 0)


def test_targets_list_what_can_be_drawn():
    found = pictures.possible(Rows())
    assert "results/graphene_strain.png" in found
    assert "results/mos2_species.png" not in found, "there is no model of species"
    assert "results/figures/image_count.png" not in found, "image_counts names no models"
    assert set(pictures.possible(Rows(), "results/figures")) < set(found)
    assert pictures.of_series(Rows(), "counted") == ["results/series/counted/heights.png"]
    assert pictures.of_shipping(Rows()) == [
        f"results/metrics/graphene/{name}.png" for name in ("conditions", "dose", "settings")
    ]


def test_an_edit_redraws_the_figures_that_use_the_module():
    def used(name):
        path = FIGURES[name].PICTURES[0].path
        return {Path(file).name for file in drawing(path).code}

    assert {"plot.py", "strain.py", "series_tables.py", "style.py"} <= used("strain")
    assert not {"gold_dynamics.py", "rasters.py", "error_curves.py"} & used("strain")
    assert {"rasters.py", "site_maps.py"} <= used("gold_dynamics")
