"""Sphinx's settings for the site: python -m sphinx -W --keep-going docs docs/_build."""

import sys
import tomllib
from pathlib import Path

_DOCS = Path(__file__).parent
_PROJECT = tomllib.loads((_DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]

project = _PROJECT["name"]
author = _PROJECT["authors"][0]["name"]
version = release = _PROJECT["version"]
project_copyright = f"{author}, {_PROJECT['license']}"

extensions = ["myst_parser"]
exclude_patterns = [
    "_build",
    *(f"reference/generated/{part}.md" for part in ("columns", "conditions", "figures")),
]
nitpicky = True
myst_heading_anchors = 3
myst_enable_extensions = ["deflist"]

html_theme = "pydata_sphinx_theme"
html_title = project
html_show_sourcelink = html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def setup(app):
    """Write the generated pages before Sphinx looks for sources."""
    sys.path[:0] = [str(_DOCS), str(_DOCS.parent / "workflow" / "scripts")]
    import generated_pages

    generated_pages.write_all(_DOCS / "reference" / "generated")
