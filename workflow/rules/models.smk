# What rules ask about models: trained here or shipped, where they are, what they read and find.


def shipped_folder(name):
    """Folder of a model that ships; it need not exist."""
    return located(f"data/models/{name}")


def shipped_names():
    """Names of the models that ship: those of this repository, and of the working folder."""
    cards = [
        card
        for folder in (Path.cwd(), Path(workflow.basedir))
        for card in folder.glob(f"data/models/*/{models.CARD}")
    ]
    return sorted({card.parent.name for card in cards})


def is_shipped(name):
    """Whether a model is taken from data/models instead of being trained here."""
    if name not in config["models"]:
        return True
    return config["shipped_models"] and Path(shipped_folder(name)).is_dir()


def model_folder(name):
    """Folder of a model: shipped, if that is wanted or the configuration lacks it, else made here."""
    return shipped_folder(name) if is_shipped(name) else f"results/models/{name}/model"


def shipped_card(name):
    """Card of a model that ships."""
    return SHIPPED[name] if name in SHIPPED else models.read_card(shipped_folder(name))


def facts(name):
    """What a model reads and finds: the card of a shipped one, else its configuration."""
    return vars(shipped_card(name)) if is_shipped(name) else config["models"][name]


def check_models():
    """See that every model of the sample sheet exists and reads images of the sheet's focus."""
    for series, name in SERIES["model"].items():
        where = f"{config['series']}: series {series}"
        try:
            microscope = facts(name)["microscope"]
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        models.check_learned_focus(name, microscope, SERIES.at[series, "focus_A"], where)


try:
    SHIPPED = {name: models.read_card(shipped_folder(name)) for name in shipped_names()}
    check_models()
except InputError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    model=one_of(config["models"]),
    of="models|metrics",


def purpose(model):
    """What a model finds, by its section or card: atoms, columns, heights of columns, species."""
    return materials.purpose(model["material"], model["class_names"])


def models_of(kind):
    """The models of the configuration that find atoms, columns, heights or species."""
    return [name for name, model in config["models"].items() if purpose(model) == kind]


def shipped_models(kind=None):
    """The models that ship, or those among them that find atoms, columns, heights or species."""
    return [name for name, card in SHIPPED.items() if kind in (None, purpose(vars(card)))]


def evaluated(kind):
    """The models that an evaluation of one kind knows, of the configuration or shipped."""
    return list(dict.fromkeys([*models_of(kind), *shipped_models(kind)]))


def evaluated_folder(wildcards):
    """Folder of the model that is evaluated: results/metrics is about the shipped ones."""
    if wildcards.of == "models":
        return model_folder(wildcards.model)
    if wildcards.model not in SHIPPED:
        raise WorkflowError(
            f"results/metrics/{wildcards.model}: no model ships under this name, there is no folder"
            f" data/models/{wildcards.model}; the tables of a model that is trained here are in"
            f" results/models/{wildcards.model}"
        )
    return shipped_folder(wildcards.model)


def evaluated_files(wildcards):
    """The files of the model that is evaluated."""
    return [f"{evaluated_folder(wildcards)}/{part}" for part in (models.CARD, models.WEIGHTS)]


def evaluated_facts(wildcards):
    """What the model that is evaluated reads and finds."""
    shipped = wildcards.of == "metrics"
    return vars(SHIPPED[wildcards.model]) if shipped else facts(wildcards.model)


def files_of(folder):
    """The files of a model that its users read; none of no model."""
    return [f"{folder}/{part}" for part in (models.CARD, models.WEIGHTS)] if folder else []


def model_files(wildcards):
    """The files of the model of a series."""
    return files_of(model_folder(SERIES.at[wildcards.series, "model"]))


def start_folder(name):
    """Folder of the model that a training starts from, if it does from any."""
    start = config["models"][name]["start_from"]
    if start and start != name and start in config["models"]:
        return model_folder(start)
    return start and shipped_folder(start)


def start_option(name):
    """What tells a training to start from a model."""
    folder = start_folder(name)
    return f"--start-from {shlex.quote(folder)}" if folder else ""


def model_pixel_size(name):
    """Range of pixel sizes that a model reads."""
    if is_shipped(name):
        return list(shipped_card(name).pixel_size_A)
    model = config["models"][name]
    return model["read_pixel_size_A"] or model["microscope"]["pixel_size_A"]
