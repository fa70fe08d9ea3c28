# What rules ask about the series of the sample sheet: their files, their truth, their pictures.


def comparisons():
    """The comparisons of the configuration; those of simulated series only if the sheet has them."""
    known, chosen = series_of("nanoparticle"), {}
    for name, pair in config["comparisons"].items():
        missing = [series for series in pair if series not in known]
        if not missing:
            chosen[name] = pair
        elif not set(missing) <= set(config["sequences"]):
            raise WorkflowError(
                f"comparisons.{name}: {missing[0]} is not a series of particles in"
                f" {config['series']}; correct the name or add the row"
            )
    return chosen


def series_files(wildcards):
    """The files of a series, those that a rule will make included."""
    path = series_path(wildcards.series)
    return sorted(glob(path)) if has_magic(path) else path


def series_path(series):
    """Path of a series as rules name files: relative where it lies in the working folder."""
    path = Path(SERIES.at[series, "path"]).absolute()
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def still_mask(series):
    """Mask that holds for every frame alike; that of a particle follows the drift instead."""
    return None if series in series_of("nanoparticle") else SERIES.at[series, "mask"]


def series_settings(wildcards):
    """What the sample sheet says of a series, as JSON for import_series.py."""
    row = SERIES.loc[wildcards.series]
    return json.dumps(
        {
            "series": wildcards.series,
            "pixel_size_A": row["pixel_size_A"],
            "frames": row["frames"],
            "mask": still_mask(wildcards.series),
            "model_pixel_size_A": model_pixel_size(row["model"]),
        }
    )


def simulation_of(series, kind):
    """Name of the simulation behind a series, of the kind acquisitions or sequences, or None."""
    path = Path(series_path(series))
    folder = Path("results/acquisitions")
    return path.stem if path.parent == folder and path.stem in config[kind] else None


def acquisition_of(series):
    """Name of the simulated acquisition behind a series, or None for a real one."""
    return simulation_of(series, "acquisitions")


def sequence_of(series):
    """Name of the simulated sequence behind a series, or None for a real one."""
    return simulation_of(series, "sequences")


def series_of(material):
    """The series that a model for this material reads, in the order of the sheet."""

    def reads(name):
        section = config["models"].get(name)
        return (section or vars(models.read_card(model_folder(name))))["material"] == material

    return [series for series, model in SERIES["model"].items() if reads(model)]


def simulated_series():
    """The series of sheets whose truth is known."""
    return [series for series in SERIES.index if acquisition_of(series)]


def simulated_sequences():
    """The series of particles whose truth is known."""
    return [series for series in SERIES.index if sequence_of(series)]


def detection_errors_file(series):
    """Table of how often the model of a series errs, where there is one and the dose is known."""
    name = SERIES.at[series, "model"]
    if SERIES.at[series, "dose_e_per_A2"] is None:
        return []
    if name in models_of("nanoparticle"):
        return [f"results/models/{name}/detection_errors.csv"]
    path = f"{model_folder(name)}/detection_errors.csv"
    return [path] if Path(path).exists() else []


def follow_options(wildcards, input):
    """Arguments of follow_sites.py that tell hops from errors, as far as they are known."""
    dose = SERIES.at[wildcards.series, "dose_e_per_A2"]
    errors = ["--errors", *input.errors] if input.errors else []
    known = [*errors, "--dose", str(dose)] if dose else errors
    return [*known, "--hops", json.dumps(config["hops"])]


def title(series):
    """What pictures say of a series; a simulated one is called so, whatever its notes."""
    notes = SERIES.at[series, "notes"] or series
    simulated = acquisition_of(series) or sequence_of(series)
    return f"Simulated: {notes}" if simulated and "simulated" not in notes.lower() else notes


def compared(wildcards):
    """The sites of both series of a comparison."""
    pair = comparisons()[wildcards.comparison]
    return [f"results/series/{series}/sites.h5" for series in pair]


def dynamics_series():
    """The series of the picture of dynamics: those compared, or else all that show particles."""
    named = [series for pair in comparisons().values() for series in pair]
    return list(dict.fromkeys(named)) or series_of("nanoparticle")


def drawn(picture, names):
    """A picture, if there are series to be drawn in it."""
    return [picture] if names else []


def dynamics_rows(names, kinds, with_truth=True):
    """Arguments of the figures of dynamics for some series: their files, notes and truth."""
    arguments = []
    for name in names:
        folder = f"results/series/{name}"
        arguments += ["--series", name, *(f"{folder}/{kind}.h5" for kind in kinds)]
        arguments += ["--title", f"{name}={title(name)}"]
        if with_truth and sequence_of(name):
            arguments += ["--table", f"{name}={folder}/dynamics_truth.csv"]
    return arguments


def series_inputs(names, kinds):
    """Files of some series."""
    return [f"results/series/{name}/{kind}.h5" for name in names for kind in kinds]


def score_files(names):
    """The scores of those among some series whose truth is known."""
    return [f"results/series/{name}/scores.csv" for name in names if acquisition_of(name)]


def strain_rows(names):
    """Arguments of plot_strain.py for some series: their files, notes and scores."""
    arguments = []
    for name in names:
        folder = f"results/series/{name}"
        arguments += [
            "--series",
            name,
            *(f"{folder}/{kind}.h5" for kind in ("frames", "maps", "strain")),
        ]
        arguments += ["--title", f"{name}={title(name)}"]
        arguments += ["--scores", f"{name}={folder}/scores.csv"] if acquisition_of(name) else []
    return arguments
