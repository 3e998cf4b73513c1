"""Tables of a search with shared weights in the run folder."""

import json
from typing import Any

import numpy as np
import pandas as pd

from autogenome_tf.run import Run

FOLDER = "search/enas"
CURVES = f"{FOLDER}/curves.tsv"
# Columns of time in the curves.
SECONDS = ("weights_seconds", "controller_seconds")


def seconds_of(run: Run) -> float:
    """Return the seconds that an interrupted run has trained shared weights and controller.

    Args:
        run: A `Run`.
    """
    if not run.has(CURVES):
        return 0.0
    return float(run.read_table(CURVES)[list(SECONDS)].to_numpy().sum())


def write(run: Run | None, name: str, lines: list[dict[str, Any]]) -> None:
    """Write a table; arcs become JSON.

    Args:
        run: A `Run`, or None for nothing.
        name: Of the file, without its ending.
        lines: A dict a row.
    """
    if not run:
        return
    frame = pd.DataFrame(lines)
    if "arc" in frame:
        frame["arc"] = frame["arc"].map(json.dumps)
    run.write_table(f"{FOLDER}/{name}.tsv", frame, digits=None)


def read(run: Run | None, name: str) -> list[dict[str, Any]]:
    """Return the lines of a table that `write` wrote; none where there is no such file.

    Args:
        run: A `Run`, or None.
        name: Of the file, without its ending.
    """
    if not (run and run.has(f"{FOLDER}/{name}.tsv")):
        return []
    lines = run.read_table(f"{FOLDER}/{name}.tsv").to_dict("records")
    return [line | {"arc": json.loads(line["arc"])} for line in lines]


def front(lines: list[dict[str, Any]], is_higher_better: bool) -> list[dict[str, Any]]:
    """Return the candidates that no other of at most their size scores better than.

    Args:
        lines: Candidates with `parameters` and `shared_score`.
        is_higher_better: Whether a higher score is better.

    Returns:
        These lines, the smallest network first; each next one scores better.
    """
    sign = -1 if is_higher_better else 1
    scored = [line for line in lines if not np.isnan(line["shared_score"])]
    best, found = np.inf, []
    for line in sorted(scored, key=lambda one: (one["parameters"], sign * one["shared_score"])):
        if sign * line["shared_score"] < best:
            best = sign * line["shared_score"]
            found.append(line)
    return found
