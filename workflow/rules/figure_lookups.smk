# What figures ask: which series and models they show, what these are called, their arguments.


def title(series):
    """What pictures say of a series; a simulated one is called so, whatever its notes."""
    notes = SERIES.at[series, "notes"] or series
    simulated = any(simulation_of(series, kind) for kind in SIMULATIONS)
    return f"Simulated: {notes}" if simulated and "simulated" not in notes.lower() else notes


def dynamics_series():
    """The series of the picture of dynamics: those compared, or else all that show particles."""
    named = [series for pair in comparisons().values() for series in pair]
    return list(dict.fromkeys(named)) or series_of("columns")


def drawn(picture, names):
    """A picture, if there are series to be drawn in it."""
    return [picture] if names else []


def drawn_series(kind):
    """The simulated focal series that the figures of one kind of model show: the first."""
    return [series for series in series_of(kind) if focal_series_of(series)][:1]


def models_drawn(kind):
    """The models whose evaluation stands beside it."""
    return [SERIES.at[series, "model"] for series in drawn_series(kind)]


def images_in_words(name):
    """What a curve of a model that reads some images together is called."""
    count = len(config["models"][name]["microscope"]["focal_series"]["steps_A"])
    return f"{count} image{'s' * (count > 1)}"


def truth_options(series):
    """Arguments of plot_column_heights.py: what the series is, and its truth."""
    truth = known_truth(series)
    return ["--title", title(series), *(["--truth", *truth] if truth else [])]


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
