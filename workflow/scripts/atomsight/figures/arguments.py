"""Arguments that several scripts of figures read alike."""

from collections.abc import Sequence

from atomsight.errors import InputError


def by_name(pairs: Sequence[str], names: Sequence[str], option: str) -> dict[str, str]:
    """Read ``NAME=VALUE`` for some of the series.

    Parameters
    ----------
    pairs : sequence of str
        What was given.
    names : sequence of str
        Names of the series.
    option : str
        The option, for the message.

    Returns
    -------
    dict of str to str
        Values by the name of the series.

    Raises
    ------
    InputError
        If a pair is none, or names no series.
    """
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise InputError(f"{option}: {pair!r} is not of the form NAME=VALUE")
        if name not in names:
            raise InputError(f"{option}: there is no series {name!r}; given are {', '.join(names)}")
        values[name] = value
    return values
