"""Figures are drawn in the style of the project."""

import pytest

from atomsight.figures.parts import style


@pytest.fixture(autouse=True)
def styled():
    with style.styled():
        yield
