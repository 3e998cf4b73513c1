"""The candidates of a search with shared weights, and the finalists among them."""

import logging
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from autogenome_tf import metrics
from autogenome_tf.core.seeds import derive
from autogenome_tf.search._enas import tables
from autogenome_tf.search._enas.children import UNSEEN
from autogenome_tf.search._enas.contributions import contributions
from autogenome_tf.search._enas.shared_search import SharedSearch
from autogenome_tf.search._request import Proposal

log = logging.getLogger(__name__)

# Of so many finalists the first is the next candidate; the others are the best one so far with
# other rates, which shared weights do not distinguish.
RATES_EACH = 3
# Draws in which other rates that were not tried yet are looked for.
MOST_DRAWS = 20


class Finalists:
    """Propose the finalists of a search with shared weights, which begins at the first proposal.

    It writes files to search/enas of the run. A shared score is one by shared weights.

    - curves.tsv: an epoch a line.
    - candidates.tsv: arcs of the controller and uniformly drawn ones, beside them the other
      options, with their shared scores.
    - front.tsv: candidates that no smaller one scores better than.
    - contributions.tsv: the share of each decision in the variance of shared scores. Rates are not
      among them, since shared weights do not distinguish these.
    - finalists.tsv: shared and stand-alone scores.
    - report.json: how far these agree, and what the controller is worth.
    - state.npz: lets an interrupted search go on; it is removed in the end.

    Args:
        request: The `Request` of the method; rows are in memory.

    Attributes:
        shared: The `SharedSearch`.
        space: What codes mean, a `ChildSpace`.

    Raises:
        InputError: As `SharedSearch` does.
    """

    def __init__(self, request):
        self._search, self._epochs = request.search, request.training.epochs
        self._seed = derive(request.seed, "contributions")
        self._run = request.run
        self._objective = request.cross_validation.objective
        self._is_higher_better = metrics.HIGHER_IS_BETTER[self._objective]
        self.shared = SharedSearch(request)
        self.space = self.shared.space
        self._candidates: Iterator[dict[str, Any]] | None = None
        self._reported: list[dict[str, Any]] = []

    def propose(self) -> Proposal | None:
        """Return the next finalist; None when all have been proposed."""
        if self._candidates is None:
            self._candidates = iter(self._found())
        number = len(self._reported)
        if number == self._most():
            return None
        finalist = self._with_other_rates() if number % RATES_EACH else None
        finalist = finalist or next(self._candidates, None)
        if finalist is None:
            return None
        values = self.space.values(self.space.code(finalist))
        return Proposal(finalist, "wired", values, self._epochs)

    def report(self, finalist: dict[str, Any], score: float | None) -> None:
        """Note the stand-alone score of a finalist, None for a failure."""
        self._reported.append(finalist | {"score": math.nan if score is None else score})
        tables.write(self._run, "finalists", self._reported)
        self._report()

    def _with_other_rates(self):
        """Return the best finalist so far with rates that it was not tried with; None for none."""
        best = min(self._reported, key=lambda one: self._order(one["score"]))
        tried = [self.space.code(one) for one in self._reported]
        random = np.random.default_rng([self._seed, len(tried)])
        for _ in range(MOST_DRAWS):
            other = self.space.with_other_rates(best, random)
            if self.space.code(other) not in tried:
                return other
        return None

    def _found(self):
        """Return the controller's candidates, the best first, one of those that differ in rates."""
        candidates = tables.read(self._run, "candidates") or self._searched()
        if self._run:
            self._run.remove(f"{tables.FOLDER}/state.npz")
        own = [one for one in candidates if one["by"] == self._search.enas.controller]
        seen = self.space.seen(np.array([self.space.code(one) for one in own]))
        _, first = np.unique(seen, axis=0, return_index=True)
        return [own[place] for place in sorted(first)]

    def _most(self):
        return min(self._search.top_k, self._search.max_trials)

    def _order(self, score):
        """Return a key that sorts scores, the best first and NaN last."""
        return np.nan_to_num(-score if self._is_higher_better else score, nan=np.inf)

    def _searched(self):
        """Return all candidates with their scores, the best first; write the tables."""
        bank, sampler = self.shared.trained()
        drawn = {self._search.enas.controller: sampler, "uniform": self.shared.uniform("uniform")}
        candidates = []
        for by, source in drawn.items():
            codes = np.unique(source.sample(self._search.enas.candidates), axis=0)
            scores, sizes = self.shared.scores(bank, codes), self.shared.parameters(codes)
            candidates += [
                self.space.line(code) | {"by": by, "shared_score": score, "parameters": int(size)}
                for code, score, size in zip(codes, scores, sizes, strict=True)
            ]
        candidates.sort(key=lambda one: self._order(one["shared_score"]))
        tables.write(self._run, "front", tables.front(candidates, self._is_higher_better))
        tables.write(self._run, "contributions", self._contributions(candidates))
        # The last of both: an interrupted run that has candidates does not search again.
        tables.write(self._run, "candidates", candidates)
        return candidates

    def _contributions(self, candidates):
        """Return a line a decision, the largest share first, and behind them the interactions."""
        codes = self.space.seen(np.array([self.space.code(one) for one in candidates]))
        scores = np.array([one["shared_score"] for one in candidates])
        named = zip(self.space.names, self.space.options, strict=True)
        names, options = zip(*(one for one in named if one[0] not in UNSEEN), strict=True)
        shares, known = contributions(codes, scores, options, self._seed)
        each = zip(names, shares, options, strict=True)
        searched = [(name, share) for name, share, options in each if len(options) > 1]
        lines = sorted(searched, key=lambda line: -line[1])
        lines.append(("interactions", 1 - shares.sum()))
        return [{"decision": name, "share": share, "forest_r2": known} for name, share in lines]

    def _report(self):
        """Write how far shared scores agree with stand-alone ones."""
        frame = pd.DataFrame(self._reported).dropna(subset=["shared_score", "score"])
        tau = math.nan
        if len(frame) > 1:
            tau = scipy.stats.kendalltau(frame["shared_score"], frame["score"]).statistic
        if len(self._reported) == self._most():
            said = "undefined, as too few scores differ" if math.isnan(tau) else f"{tau:.2f}"
            log.info(
                "enas: Kendall's tau between shared and stand-alone scores of %d finalists: %s",
                len(frame), said,
            )  # fmt: skip
        if self._run:
            self._write_report(len(frame), tau)

    def _write_report(self, finalists, tau):
        table = self._run.read_table
        candidates = table(f"{tables.FOLDER}/candidates.tsv").groupby("by")["shared_score"]
        best = candidates.max() if self._is_higher_better else candidates.min()
        medians, curves = candidates.median(), table(tables.CURVES)
        report = {
            "objective": self._objective,
            "finalists": finalists,
            "kendall_tau": _or_none(tau),
            "best_shared_score": {by: _or_none(score) for by, score in best.items()},
            "median_shared_score": {by: _or_none(score) for by, score in medians.items()},
            **{name: float(curves[name].sum()) for name in tables.SECONDS},
        }
        self._run.write_json(f"{tables.FOLDER}/report.json", report)


def _or_none(number):
    """Return a number as JSON takes it."""
    return None if math.isnan(number) else float(number)
