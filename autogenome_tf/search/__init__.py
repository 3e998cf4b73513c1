"""Searches: the trial loop around methods that propose, ranking, the baseline, chief and workers.

The files of methods/ are an open set; what they import from here needs no TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

from autogenome_tf.search._members import method
from autogenome_tf.search._request import Proposal, Request
from autogenome_tf.search.methods._base import OracleMethod, SearchMethod

if TYPE_CHECKING:
    from autogenome_tf.search._distributed import log_of, work
    from autogenome_tf.search._outputs import read_outputs, track_result, write_outputs
    from autogenome_tf.search._search import process_role, remote, search, seconds_before
    from autogenome_tf.search._trials import (
        best_results,
        eligible,
        leaderboard,
        ranked,
        trials_of,
    )

# What trains imports TensorFlow, which takes seconds; `check` must not wait for it.
_HOMES = {
    **dict.fromkeys(("process_role", "remote", "search", "seconds_before"), "_search"),
    **dict.fromkeys(("log_of", "work"), "_distributed"),
    **dict.fromkeys(("read_outputs", "track_result", "write_outputs"), "_outputs"),
    **dict.fromkeys(("best_results", "eligible", "leaderboard", "ranked", "trials_of"), "_trials"),
}

__all__ = [
    "OracleMethod", "Proposal", "Request", "SearchMethod", "best_results", "eligible",
    "leaderboard", "log_of", "method", "process_role", "ranked", "read_outputs", "remote",
    "search", "seconds_before", "track_result", "trials_of", "work", "write_outputs",
]  # fmt: skip


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
