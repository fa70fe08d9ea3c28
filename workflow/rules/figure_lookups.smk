# What figures ask: which series and models they show, what these are called, their arguments.
from atomsight.orchestration.series import SIMULATIONS


def title(name):
    """What pictures say of a series; a simulated one is called so, whatever its notes."""
    notes = series.sheet.at[name, "notes"] or name
    simulated = any(series.simulation(name, kind) for kind in SIMULATIONS)
    return f"Simulated: {notes}" if simulated and "simulated" not in notes.lower() else notes


def dynamics_series():
    """The series of the picture of dynamics: those compared, or else all that show particles."""
    named = [name for pair in comparisons.values() for name in pair]
    return list(dict.fromkeys(named)) or series.read_by("columns")


def drawn(picture, names):
    """A picture, if there are series to be drawn in it."""
    return [picture] if names else []


def drawn_series(kind):
    """The simulated focal series that the figures of one kind of model show: the first."""
    return [name for name in series.read_by(kind) if series.simulation(name, "focal_series")][:1]


def known_truth(name):
    """The truth of a simulated focal series; nothing for a real one."""
    return series.truth(name, "focal_series")


def shown(kind):
    """Give a function that names that series, or says what the sheet lacks."""

    def series(wildcards):
        if not (found := drawn_series(kind)):
            raise WorkflowError(
                f"this figure shows a simulated focal series, and {config['series']} has none that"
                f" a model of {kind} reads; take the row simulated_"
                f"{'mos2' if kind == 'species' else 'gold_heights'} of config/series.tsv"
            )
        return found[0]

    return series


def of_shown(kind, *files):
    """Give a function that lists files of the series that figures show."""
    find = shown(kind)
    return lambda wildcards: [f"results/series/{find(wildcards)}/{file}" for file in files]


def truth_of_shown(kind):
    """Give a function that gives the truth of that series."""
    find = shown(kind)
    return lambda wildcards: known_truth(find(wildcards))


def title_of_shown(kind):
    """Give a function that says what that series is."""
    find = shown(kind)
    return lambda wildcards: title(find(wildcards))


def tables_of_shown(*tables):
    """Give a function that lists tables of the evaluation of the model that counts in it."""
    find = shown("heights")

    def paths(wildcards):
        model = series.model(find(wildcards))
        return [f"results/models/{model}/heights_{table}.csv" for table in tables]

    return paths


def compared_counts(wildcards):
    """The tables of the models that count from different numbers of images."""
    if not config["image_counts"]:
        raise WorkflowError(
            "image_counts names no models; add --configfile config/image_count.yaml"
        )
    return [f"results/models/{name}/heights_summary.csv" for name in config["image_counts"]]


def images_in_words(name):
    """What a curve of a model that reads some images together is called."""
    count = len(config["models"][name]["microscope"]["focal_series"]["steps_A"])
    return f"{count} image{'s' * (count > 1)}"


def truth_options(name):
    """Arguments of figures of a focal series: what it is, and its truth if that is known."""
    truth = known_truth(name)
    return ["--title", title(name), *(["--truth", *truth] if truth else [])]


def dose_options(name):
    """The dose of a real focal series, where the sheet tells it."""
    dose = series.dose_e_per_A2(name)
    return ["--dose", str(dose)] if dose and not known_truth(name) else []


def dynamics_rows(names, kinds, with_truth=True):
    """Arguments of the figures of dynamics for some series: their files, notes and truth."""
    arguments = []
    for name in names:
        folder = f"results/series/{name}"
        arguments += ["--series", name, *(f"{folder}/{kind}.h5" for kind in kinds)]
        arguments += ["--title", f"{name}={title(name)}"]
        if with_truth and series.simulation(name, "sequences"):
            arguments += ["--table", f"{name}={folder}/dynamics_truth.csv"]
    return arguments


def series_inputs(names, kinds):
    """Files of some series."""
    return [f"results/series/{name}/{kind}.h5" for name in names for kind in kinds]


def score_files(names):
    """The scores of those among some series whose truth is known."""
    return [
        f"results/series/{name}/scores.csv"
        for name in names
        if series.simulation(name, "acquisitions")
    ]


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
        simulated = series.simulation(name, "acquisitions")
        arguments += ["--scores", f"{name}={folder}/scores.csv"] if simulated else []
    return arguments
