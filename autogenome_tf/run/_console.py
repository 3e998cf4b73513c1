"""Progress of a run: lines on the console and in log.txt, a bar on a terminal."""

import contextlib
import datetime
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import rich.progress

log = logging.getLogger("autogenome_tf")

_console = rich.console.Console(stderr=True, highlight=False, soft_wrap=True)


class _Lines(logging.Handler):
    """Print lines on the console, above the bar where there is one."""

    def emit(self, record):
        _console.print(self.format(record), markup=False)


def talk(quiet: bool = False) -> None:
    """Show what the package says on the console, or only warnings with `quiet`."""
    for handler in [handler for handler in log.handlers if isinstance(handler, _Lines)]:
        log.removeHandler(handler)
    handler = _Lines(logging.WARNING if quiet else logging.INFO)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False


class _Kept(logging.Handler):
    """Keep log records in a list."""

    def __init__(self, records):
        super().__init__()
        self._records = records

    def emit(self, record):
        self._records.append(record)


@contextlib.contextmanager
def remembered(
    records: list[logging.LogRecord], is_kept: Callable[[logging.LogRecord], bool] | None = None
) -> Iterator[None]:
    """Keep log records in a list while the block runs.

    Args:
        records: The list.
        is_kept: Test of a record; None keeps all.
    """
    handler = _Kept(records)
    if is_kept:
        handler.addFilter(is_kept)
    with _added(handler):
        yield


@contextlib.contextmanager
def say_to(path: str | Path, earlier: list[logging.LogRecord] | tuple[()] = ()) -> Iterator[None]:
    """Write log records to a file too, those of `earlier` first.

    Args:
        path: Path of the log file.
        earlier: Records from before the file existed; emptied.
    """
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    with contextlib.closing(handler), _added(handler):
        for record in earlier:
            handler.handle(record)
        if earlier:
            earlier.clear()
        yield


@contextlib.contextmanager
def _added(handler):
    """Add a handler of the package while the block runs; in a notebook show the console as well."""
    if not log.handlers and not logging.getLogger().handlers:
        talk()
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextlib.contextmanager
def watched(
    max_seconds: float | None, most_trials: int, objective: str
) -> Iterator[Callable[[Any, Any], None]]:
    """Show trials as they end: a line each, and on a terminal a bar with the time left.

    Args:
        max_seconds: The config's `search.max_seconds`.
        most_trials: Number of trials to come, at most.
        objective: Name of the metric.

    Yields:
        A function to call with each trial and the best one so far.
    """
    is_live = _console.is_terminal and any(
        isinstance(handler, _Lines) and handler.level <= logging.INFO for handler in log.handlers
    )
    bar = rich.progress.Progress(
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.MofNCompleteColumn(),
        rich.progress.TimeElapsedColumn(),
        rich.progress.TextColumn("{task.fields[left]}"),
        console=_console,
        disable=not is_live,
        transient=True,
    )
    started, seen = time.monotonic(), []
    with bar:
        task = bar.add_task("search", total=most_trials, left="")

        def show(trial, best):
            seen.append(trial)
            log.info("%s", _line(trial, most_trials, objective, best))
            done = sum(0 < own.number <= most_trials for own in seen)
            left = _left(max_seconds, most_trials - done, time.monotonic() - started, len(seen))
            description = f"search, best {objective} {best.score:.4g} ({best.family})"
            bar.update(task, completed=done, description=description, left=left)

        yield show


def _line(trial, total, objective, best):
    is_beside = trial.number > total  # a linear learner
    name = f"trial {trial.number}" if is_beside else f"trial {trial.number}/{total}"
    name = name if trial.number else "baseline"
    family = trial.family
    if is_beside:
        family = learner(family, trial.values)
    if not trial.is_scored:
        return f"{name}: {family} {trial.status}"
    spread = f" +- {trial.error:.2g}" if np.isfinite(trial.error) else ""
    return (
        f"{name}: {family} {objective} {trial.score:.4g}{spread}, {trial.seconds:.1f} s; "
        f"best {best.score:.4g} ({best.family})"
    )


def learner(family: str, values: Mapping[str, Any]) -> str:
    """Return the name of a linear learner with its loss and gene power.

    Args:
        family: Name of the family.
        values: Its hyperparameters.

    >>> learner("linear", {"loss": "pls", "gene_power": 0.5, "components": 3})
    'linear (pls, gene power 0.5)'
    """
    power = values.get("gene_power")
    return f"{family} ({values['loss']}{f', gene power {power:g}' if power else ''})"


def _left(max_seconds, to_come, elapsed, done):
    """Return estimated time left by the trials so far, within the budget."""
    seconds = elapsed / done * to_come
    if max_seconds:
        seconds = min(seconds, max(0.0, max_seconds - elapsed))
    return f"{datetime.timedelta(seconds=round(seconds))} left"
