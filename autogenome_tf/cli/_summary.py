"""The short table at the end of a run, from its files alone."""

import json
from pathlib import Path

import rich.box
import rich.console
import rich.table

from autogenome_tf.config import Config
from autogenome_tf.families import BASELINE
from autogenome_tf.metrics import in_order
from autogenome_tf.run import Run, learner

TOP = 5


def show(folder: str | Path, config: Config) -> None:
    """Print the best trials, the metrics with intervals, and where the files are.

    Args:
        folder: Path of the run folder.
        config: Config of the run.
    """
    run = Run(folder)
    console = rich.console.Console(highlight=False, soft_wrap=True)
    console.print(_trials(run.read_table("leaderboard.tsv"), config.objective))
    show_metrics(folder)
    console.print(f"files: {folder}", markup=False)
    if run.has("report.html"):
        console.print(f"report: {run.path('report.html')}", markup=False)


def show_metrics(folder: str | Path) -> None:
    """Print the metrics of every part with intervals.

    Args:
        folder: Path of the run folder.
    """
    console = rich.console.Console(highlight=False, soft_wrap=True)
    found = Run(folder).metrics()
    parts = {part: found[part] for part in in_order(found)}
    console.print(_metrics(parts) if parts else "no scores: all rows were used for training")


def _trials(frame, objective):
    shown = min(TOP, len(frame))
    table = _table(f"leaderboard, top {shown} of {len(frame)}")
    for name in ("rank", "family", objective, "+-", "epochs", "seconds", "parameters"):
        table.add_column(name, justify="left" if name == "family" else "right")
    top = frame[frame["rank"] <= TOP]
    baseline = frame[(frame["trial"] == 0) & (frame["rank"] > TOP)]
    for row in [*top.itertuples(), *baseline.itertuples()]:
        error = f"{row.error:.3f}" if row.error == row.error else ""
        table.add_row(
            str(row.rank), _name(row), f"{row.score:.4f}", error, str(row.epochs),
            f"{row.seconds:.1f}", str(row.parameters),
        )  # fmt: skip
    return table


def _name(row):
    if row.trial == 0:
        return f"{row.family} (baseline)"
    is_linear = row.family == BASELINE
    return learner(row.family, json.loads(row.hyperparameters)) if is_linear else row.family


def _metrics(parts):
    table = _table("metrics with 95 % intervals")
    table.add_column("metric")
    for part in parts:
        # Of two words, which a narrow terminal puts below each other.
        table.add_column(part.replace("_", " "), justify="right")
    for name in dict.fromkeys(name for found in parts.values() for name in found):
        table.add_row(name, *(_with_interval(found.get(name)) for found in parts.values()))
    return table


def _table(title):
    return rich.table.Table(title=title, title_justify="left", box=rich.box.SIMPLE_HEAD)


def _with_interval(metric):
    if metric is None:
        return "–"
    if metric["value"] is None:
        return "undefined"
    if metric["low"] is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
