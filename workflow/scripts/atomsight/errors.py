"""The one exception that means: the user can mend this."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something given to atomsight is wrong.

    The message is one sentence that says what is wrong, where (file, row, key) and what to do.
    Scripts print it without a traceback and exit with code 1.
    """


def did_you_mean(unknown: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the known one that is meant, or all.

    That is the same quantity, perhaps in another unit, or else a name that looks alike.
    """
    known = list(known)
    same = [name for name in known if name.split("_")[0] == unknown.split("_")[0]]
    near = difflib.get_close_matches(unknown, same or known, n=1) or same
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
