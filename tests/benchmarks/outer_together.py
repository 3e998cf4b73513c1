"""Measure the processor time of nested cross-validation that joint training could save.

    python tests/benchmarks/outer_together.py
    python tests/benchmarks/outer_together.py --sets khan_srbct --searches random:12 --repeats 3

The protocol, written before it was run. The outer searches of `search.outer` 5 are run on all rows
of each set, otherwise with defaults, once for each search (method:trials), one after another. A
network's configuration coincides where all outer searches try it for as many epochs. It is then
trained once more, the inner folds of all outer folds together (25 networks in place of five times
5), for as many epochs as the longest of them. All figures are processor seconds, those of tracing
included, those of preparing rows not. A line a set and search:

- coincide: networks that coincide, of those that an outer search tries, the mean over outer folds;
- fits: the part of the outer folds' time that networks of trials take; the rest is the preparation
  of rows, linear learners, proposals, calibration, final models and files;
- together: the time of all that coincide when trained together, in parts of what they took;
- gain: the outer folds' time by the same without what would be saved.

This is the most that can be saved: rates, early stopping, batches and noise are here those of all
folds at once. Outer searches that score what they score now need them apart, which costs more.
Training together is worth its code where the gain is at least 1.3 on most of the sets with the
default search.

Changed since: the first three runs, of bayesian, timed the outer folds of whole runs, their tables
included, and counted the fit of final models on folds among those of trials.
"""

import argparse
import collections
import json
import tempfile
import time
from pathlib import Path
from unittest import mock

import survival
from sets import SHARED, sets

import autogenome_tf as ag
from autogenome_tf.automl import _processes
from autogenome_tf.automl._outer import outer_folds
from autogenome_tf.run import _console
from autogenome_tf.training import Configuration, Plan
from autogenome_tf.training._networks import NetworkCrossValidation

OUTER = 5
SETS = ("alon_colon", "golub_leukemia", "khan_srbct", "breast_cancer")
SEARCHES = ("bayesian:30", "random:12", "hyperband:30")


class Recorder:
    """Record the processor seconds of networks that outer searches train, by configuration."""

    def __init__(self):
        self.trials = collections.defaultdict(list)
        self._fit = NetworkCrossValidation.fit

    def recorded(self):
        """Return what is in place of the package's function while searches are recorded."""
        return mock.patch.object(NetworkCrossValidation, "fit", lambda *options: self.fit(*options))

    def fit(self, folds, configuration, plan, seed, repeats=None):
        """Train a configuration, its inputs prepared before."""
        folds.factors(configuration)
        started = time.process_time()
        found = self._fit(folds, configuration, plan, seed, repeats)
        family, values = configuration.family, configuration.values
        # The final model is trained for longer than a trial.
        if family != "linear" and plan.epochs < folds.settings.training.epochs and not plan.rates:
            key = json.dumps([family, values, plan.epochs], sort_keys=True)
            taken = time.process_time() - started
            self.trials[key].append((taken, len(found.history), plan, seed))
        return found

    def together(self, whole):
        """Return seconds of what coincides as it was trained, and trained together.

        Args:
            whole: The cross-validation whose splits are the inner folds of all outer folds.
        """
        apart, joint = 0.0, 0.0
        for key, known in self.trials.items():
            if len(known) < OUTER:
                continue
            configuration = Configuration(*json.loads(key)[:2])
            seconds, epochs, plans, seeds = zip(*known, strict=True)
            plan = Plan(
                max(epochs), plans[0].batch_size, plans[0].optimizer, plans[0].learning_rate,
                patience=10**6, drop_after=plans[0].drop_after,
            )  # fmt: skip
            whole.factors(configuration)
            started = time.process_time()
            self._fit(whole, configuration, plan, seeds[0])
            joint += time.process_time() - started
            apart += sum(seconds)
        return apart, joint


def given(name, asked, folder):
    """Return the keys of a set's config, and its rows where they are in no file."""
    if name in survival.SETS:
        x, y = survival.rows_of(name)
        keys = {"name": name, "output_dir": str(folder), "task": {"type": "survival"}, "data": {}}
        return keys, (x, y)
    ((one),) = sets(asked.data, [name])
    return one.config(folder), None


def measured(name, search, asked):
    """Return the line of a set and a search, as a dict."""
    method, _, trials = search.partition(":")
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder:
        keys, rows = given(name, asked, folder)
        keys["data"]["split"] = {"test": 0}
        keys["output"] = {"figures": False}
        keys["search"] = {"method": method, "max_trials": int(trials), "outer": OUTER}
        keys["search"]["repeats"] = asked.repeats
        session = ag.AutoGenome(keys, data=rows)._session
        session.begun(("train",))
        inner = [pair for one in session.rows.outer_splits(OUTER) for pair in one.pairs()]
        folds, started = outer_folds(session), time.process_time()
        with recorder.recorded():
            for fold in folds:
                _processes._trained(fold.session)
        seconds = time.process_time() - started
        apart, joint = recorder.together(session.prepared().cross_validation.with_splits(inner))
    tried = sum(map(len, recorder.trials.values()))
    same = [known for known in recorder.trials.values() if len(known) == OUTER]
    fits = sum(seconds for known in recorder.trials.values() for seconds, *_ in known)
    return {
        "set": name, "search": search, "networks": OUTER * asked.repeats,
        "tried": tried / OUTER, "coincide": len(same), "seconds": seconds,
        "fits": fits / seconds, "together": joint / apart,
        "gain": seconds / (seconds - apart + joint),
    }  # fmt: skip


def main():
    """Print a line of JSON a set and search, then the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default=SHARED, type=Path)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--searches", nargs="+", default=SEARCHES, help="method:trials")
    parser.add_argument("--repeats", type=int, default=1, help="networks a fold")
    asked, lines = parser.parse_args(), []
    _console.talk(quiet=True)
    for search in asked.searches:
        for name in asked.sets:
            lines.append(measured(name, search, asked))
            print(json.dumps(lines[-1]), flush=True)
    print("\n| set | search | coincide | CPU seconds | fits | together | gain |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for one in lines:
        print(
            f"| {one['set']} | {one['search']} | {one['coincide']} of {one['tried']:.0f} "
            f"| {one['seconds']:.0f} | {one['fits']:.2f} | {one['together']:.2f} "
            f"| {one['gain']:.2f} |"
        )  # fmt: skip


if __name__ == "__main__":
    main()
