"""Small files that every figure can be drawn from, as the arguments of its ``plot``."""

from pathlib import Path

import made_columns
import made_graphene
import made_particles
import made_recordings
import made_scores
import made_sites

#: Figures of one table: the argument that it is, and what makes it.
OF_TABLE = {
    "dose_performance": ("evaluation", made_scores.dose_scores),
    "model_doses": ("evaluation", made_scores.dose_scores),
    "model_conditions": ("conditions", made_scores.condition_scores),
    "model_settings": ("settings", made_scores.setting_scores),
    "column_performance": ("columns", made_scores.column_scores),
    "height_errors": ("summary", made_columns.summary),
}


def arguments(name, folder):
    """Write the files that a figure needs into a folder, and give its arguments."""
    if name not in OF_TABLE:
        assert name in globals(), f"write here a function {name}, which makes the figure's files"
        return globals()[name](Path(folder))
    argument, made = OF_TABLE[name]
    model = {"model": "graphene"} if name.startswith("model_") else {}
    return {argument: _csv(Path(folder), argument, made())} | model


def _csv(folder, name, table):
    path = str(folder / f"{name}.csv")
    table.to_csv(path, index=False)
    return path


def strain(folder):
    files = made_graphene.write_row(folder)
    scores = {"sheet": str(folder / "scores.csv")}
    Path(scores["sheet"]).write_text("frame,f1,rms_error_A\n0,0.99,0.04\n")
    return {**{kind: {"sheet": path} for kind, path in files.items()}, "scores": scores}


def random_sheets(folder):
    return {"structures": made_graphene.write_structures(folder)}


def training_examples(folder):
    waves, settings = [made_graphene.write_waves(folder)], made_graphene.SECTION
    return {"waves": waves, "seed": 3, "settings": settings, "columns": 2}


def rough_particles(folder):
    structures = [made_particles.particle(3 + number) for number in range(4)]
    return {"structures": made_recordings.write_structures(folder, structures, {})}


def _series(folder):
    series, truth = made_sites.make_series()
    return made_sites.write(series, folder), _csv(folder, "truth", truth)


def method(folder):
    files, _ = _series(folder)
    return {kind: files[kind] for kind in ("frames", "maps", "atoms")}


def occupancy(folder):
    files, _ = _series(folder)
    return {kind: files[kind] for kind in ("sites", "substrate")} | {"title": "10 $ gold"}


def occurrence_events(folder):
    files, _ = _series(folder)
    by_name = {kind: {"vacuum": files[kind]} for kind in ("sites", "substrate")}
    return by_name | {"titles": {"vacuum": "Simulated: gold"}}


def gold_dynamics(folder):
    files, truth = _series(folder)
    return {
        **{kind: {"vacuum": path, "gas": path} for kind, path in files.items()},
        "truth": {"vacuum": truth},
        "comparison": _csv(folder, "comparison", made_sites.comparison()),
        "titles": {"gas": "10 $"},
    }


def column_heights(folder):
    frames, truth = str(folder / "frames.h5"), str(folder / "truth.h5")
    made_columns.write_frames(frames, made_columns.images())
    made_columns.write_truth(truth, made_columns.true_columns())
    heights = _csv(folder, "heights", made_columns.counted_columns())
    return {"frames": frames, "heights": heights, "truth": truth}


def gold_heights(folder):
    tables = ("summary", "confusion", "reliability", "abstention")
    made = {name: _csv(folder, name, getattr(made_columns, name)()) for name in tables}
    return column_heights(folder) | made


def image_count(folder):
    path = _csv(folder, "summary", made_columns.summary())
    return {"summary": {"1 image": path, "3 images": path}}


def focal_series(folder):
    paths = {kind: str(folder / f"{kind}.h5") for kind in ("frames", "maps", "atoms", "truth")}
    made_columns.write_frames(paths["frames"], made_columns.images())
    made_columns.write_maps(paths["maps"], made_columns.class_maps())
    made_columns.write_atoms(paths["atoms"], made_columns.found_species())
    made_columns.write_truth(paths["truth"], made_columns.true_species())
    return paths


def mos2_species(folder):
    files = focal_series(folder)
    del files["maps"]
    return files | {"summaries": [_csv(folder, "summary", made_columns.species_summary())]}
