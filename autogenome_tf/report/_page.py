"""Parts that sections of the page are made of; none of it knows HTML."""

import dataclasses
import math
from collections.abc import Iterable, Sequence

from autogenome_tf import plots
from autogenome_tf.run import Run


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: In the address and the list of contents.
        title: Its heading.
        parts: In order: a str (a paragraph), or one of the classes below.
    """

    name: str
    title: str
    parts: "Sequence[Part]"


@dataclasses.dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str


@dataclasses.dataclass(frozen=True)
class Code:
    """Text to copy, folded away below a summary where there is one."""

    text: str
    summary: str = ""


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of cells, numbers as text already.

    Attributes:
        head: Names of the columns.
        rows: Lists of cells.
        caption: Its title.
        left: Positions of columns of words.
    """

    head: list[str]
    rows: list[list[str]]
    caption: str = ""
    left: tuple[int, ...] = (0,)


@dataclasses.dataclass(frozen=True)
class Card:
    """The summary of a run.

    Attributes:
        question: Question that the model answers.
        metric: Headline metric and the samples it is of; "" before they are scored.
        value: Its value, as text.
        interval: Its 95 % interval, as text.
        verdict: The answer in one sentence.
        table: The foremost metrics beside those of the baseline; None before they are known.
        warnings: A text each; empty where nothing was found.
    """

    question: str
    metric: str
    value: str
    interval: str
    verdict: str
    table: Table | None
    warnings: list[str]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        svg: The element.
        caption: What it shows and how to read it.
    """

    svg: str
    caption: str


@dataclasses.dataclass(frozen=True)
class Beside:
    """Parts side by side where there is room."""

    parts: "Sequence[Part]"


Part = str | Heading | Card | Code | Table | Picture | Beside


def kind_of(part: Part) -> str:
    """Return the name of a part's kind, for the template.

    Args:
        part: Part of a section.
    """
    return "Text" if isinstance(part, str) else type(part).__name__


def pictures(run: Run, place: str, label: object = "", **chosen: str) -> list[Picture]:
    """Draw the figures that a place of the page shows.

    Args:
        run: The run.
        place: One of `plots.PLACES`.
        label: What differs where a place is there several times, such as a number.
        **chosen: Option of the place, such as the output.
    """
    return [
        Picture(plots.svg(drawing, f"{name}-{label}"), caption)
        for name, drawing, caption in plots.placed(run, place, **chosen)
    ]


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as people write it; a dash where it is not known.

    >>> number(0.98765), number(123456.0), number(None), number(0.00012)
    ('0.988', '123,456', '–', '0.00012')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if 0 < abs(value) < 10**-digits:
        return f"{value:.2g}"
    return f"{value:.{digits}f}"


def interval(metric: dict | None) -> str:
    """Return a metric with its interval, if it has one; "undefined" where it has no value.

    >>> interval({"value": 0.9, "low": 0.85, "high": 0.95})
    '0.900 (0.850 to 0.950)'
    >>> interval({"value": 0.9, "low": None, "high": None})
    '0.900'
    """
    if metric is None or metric["value"] is None:
        return "undefined"
    value, *bounds = (
        f"{metric[key]:,.0f}" if abs(metric[key]) >= 1000 else f"{metric[key]:.3f}"
        for key in ("value", "low", "high")
        if metric[key] is not None
    )
    return f"{value} ({' to '.join(bounds)})" if bounds else value


def listed(words: Iterable[object], most: int = 8) -> str:
    """Return words as part of a sentence.

    >>> listed(["a", "b", "c"]), listed("abc", most=2)
    ('a, b and c', 'a, b and 1 more')
    """
    texts = [str(word) for word in words]
    if len(texts) > most:
        texts = [*texts[:most], f"{len(texts) - most} more"]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
