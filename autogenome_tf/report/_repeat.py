"""Command, seed, versions, checksums and config that repeat the run."""

import json

from autogenome_tf.report._page import Code, Part, Section, Table, number
from autogenome_tf.run import Run


def section(run: Run) -> Section:
    """Return the section of command, data, versions, times and config."""
    environment = run.environment
    text = (
        f"The same config, data and versions on the same machine give the same leaderboard and "
        f"metrics (seed {environment['seed']}). To repeat the run, call in this folder:"
    )
    versions = [[name, version] for name, version in environment["versions"].items()]
    files = [[name, digest or "part of an installed package"]
             for name, digest in environment["data"].items()]  # fmt: skip
    # The page could only name the time before its own.
    stages = [[name, at] for name, at in environment["stages"].items() if name != "report"]
    times = [[name, number(float(seconds), 1)] for name, seconds in environment["times"].items()]
    config = json.dumps(run.read_json("config.json"), indent=2)
    parts: list[Part] = [
        text, Code("autogenome-tf run config.json"),
        Table(["file", "SHA-256"], files, "Data files.", left=(0, 1)),
        Table(["package", "version"], versions, f"Versions, on {environment['platform']}."),
        Table(["stage", "done"], stages, "Stages and when they ended."), Table(["part", "seconds"],
        times, "Time spent."), Code(config, "config.json, defaults filled in"),
    ]  # fmt: skip
    return Section("repeat", "Repeat it", [part for part in parts if _is_filled(part)])


def _is_filled(part):
    """Return whether a part has something to show."""
    return not isinstance(part, Table) or bool(part.rows)
