"""Short documents of headings, paragraphs, lists and tables, as Markdown or as HTML.

Markdown comes out aligned, so that it reads well as plain text.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from atomsight.files import atomic, provenance

_STYLE = (
    "body { font: 15px/1.45 sans-serif; margin: 2em; max-width: 75em }\n"
    "table { border-collapse: collapse; margin: 1em 0 }\n"
    "th, td { border-bottom: 1px solid #ccc; padding: 0.2em 0.8em; text-align: left }\n"
    "td + td { font-variant-numeric: tabular-nums }"
)


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title, 2 a section, and so on."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph on one line."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list without numbers, each item on one line."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of text: its header, and rows as wide."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Bullets | Table


def to_markdown(blocks: Sequence[Block]) -> str:
    """Write a document as Markdown; the columns of tables are padded to one width."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Bullets(items):
            return "\n".join(f"- {item}" for item in items)
        case Table(columns, rows):
            return _aligned(columns, rows)
    return block.text


def _aligned(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    cells = [[text.replace("|", "\\|") for text in row] for row in (columns, *rows)]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    cells.insert(1, ["-" * width for width in widths])
    lines = [
        " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in cells
    ]
    return "\n".join(f"| {line} |" for line in lines)


def to_html(blocks: Sequence[Block]) -> str:
    """Write a document as HTML that needs no other file; its first heading is the title."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    lines = [
        *('<!DOCTYPE html>\n<html lang="en">', '<meta charset="utf-8">'),
        f"<title>{html.escape(title)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        *map(_html, blocks),
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Bullets(items):
            return "\n".join(["<ul>", *(f"<li>{html.escape(item)}" for item in items), "</ul>"])
        case Table(columns, rows):
            lines = [_html_row(columns, "th"), *(_html_row(row, "td") for row in rows)]
            return "\n".join(["<table>", *lines, "</table>"])
    return f"<p>{html.escape(block.text)}</p>"


def _html_row(cells: tuple[str, ...], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in cells)


def write(path: Path | str, text: str) -> None:
    """Write a page whole or not at all, and its notes."""
    with atomic.replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    provenance.write_notes(path)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Make a table of texts."""
    return Table(tuple(columns), tuple(map(tuple, rows)))
