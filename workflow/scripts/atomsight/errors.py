"""The one exception that means: the user can mend this."""


class InputError(ValueError):
    """Something given to atomsight is wrong.

    The message is one sentence that says what is wrong, where (file, row, key) and what to do.
    Scripts print it without a traceback and exit with code 1.
    """
