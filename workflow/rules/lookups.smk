# What rules ask about the series of the sample sheet: their files, their simulations, their truth.


#: Sections of the configuration that hold simulations which rows of the sheet can name.
SIMULATIONS = ("acquisitions", "sequences", "focal_series")


def comparisons():
    """The comparisons of the configuration; those of simulated series only if the sheet has them."""
    known, chosen = series_of("columns"), {}
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
    return named(Path(SERIES.at[series, "path"]).absolute())


def still_mask(series):
    """Mask that holds for every frame alike; that of a particle follows the drift instead."""
    return None if series in series_of("columns") else SERIES.at[series, "mask"]


def series_settings(wildcards):
    """What the sample sheet says of a series, as JSON for import_series.py."""
    row = SERIES.loc[wildcards.series]
    return json.dumps(
        {
            "series": wildcards.series,
            "pixel_size_A": row["pixel_size_A"],
            "frames": row["frames"],
            "focus_A": row["focus_A"],
            "mask": still_mask(wildcards.series),
            "model_pixel_size_A": model_pixel_size(row["model"]),
        }
    )


def simulation_of(series, kind):
    """Name of the simulation behind a series, of one kind such as acquisitions, or None."""
    path = Path(series_path(series))
    folder = Path("results/acquisitions")
    return path.stem if path.parent == folder and path.stem in config[kind] else None


def acquisition_of(series):
    """Name of the simulated acquisition behind a series, or None for a real one."""
    return simulation_of(series, "acquisitions")


def focal_series_of(series):
    """Name of the simulated focal series behind a series, or None for a real one."""
    return simulation_of(series, "focal_series")


def sequence_of(series):
    """Name of the simulated sequence behind a series, or None for a real one."""
    return simulation_of(series, "sequences")


def series_of(kind):
    """The series in which a model finds atoms, columns, heights or species, in sheet order."""

    return [series for series, name in SERIES["model"].items() if purpose(facts(name)) == kind]


def simulated_series():
    """The series of sheets whose truth is known."""
    return [series for series in SERIES.index if acquisition_of(series)]


def simulated_sequences():
    """The series of particles whose truth is known."""
    return [series for series in SERIES.index if sequence_of(series)]


def simulated_focal_series():
    """The focal series whose truth is known."""
    return [series for series in SERIES.index if focal_series_of(series)]


def known_truth(series):
    """The truth of a simulated focal series; nothing for a real one."""
    name = focal_series_of(series)
    return [f"results/acquisitions/{name}_truth.h5"] if name else []


def detection_errors_file(series):
    """Table of how often the model of a series errs, if the dose is known: shipped, or made here."""
    if SERIES.at[series, "dose_e_per_A2"] is None:
        return []
    name = SERIES.at[series, "model"]
    shipped = f"{shipped_folder(name)}/detection_errors.csv"
    if is_shipped(name) and Path(shipped).exists():
        return [shipped]
    return [f"results/models/{name}/detection_errors.csv"] if name in config["models"] else []


def follow_options(wildcards, input):
    """Arguments of follow_sites.py that tell hops from errors, as far as they are known."""
    dose = SERIES.at[wildcards.series, "dose_e_per_A2"]
    errors = ["--errors", *input.errors] if input.errors else []
    known = [*errors, "--dose", str(dose)] if dose else errors
    return [*known, "--hops", json.dumps(config["hops"])]


def compared(wildcards):
    """The sites of both series of a comparison."""
    pair = comparisons()[wildcards.comparison]
    return [f"results/series/{series}/sites.h5" for series in pair]


def part(name, *keys):
    """Some keys of a section of the configuration as JSON."""
    return json.dumps({key: config[name][key] for key in keys})


def evaluation_of_particles(name):
    """Give a function that gives a section of the evaluation as JSON, with a model's own metal."""

    def as_json(wildcards):
        contrast = evaluated_facts(wildcards)["contrast"]
        values = config[name] | {"contrast": "auto" if contrast == "either" else contrast}
        # The card of a model that is not in the configuration does not tell the metal.
        trained = config["models"].get(wildcards.model, {}).get("nanoparticle")
        if "particle" in values and trained:
            values["particle"] = values["particle"] | {"metal": trained["metal"]}
        return json.dumps(values)

    return as_json
