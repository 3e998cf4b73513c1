"""The search with shared weights: train the bank and its controller, score arcs, keep the best."""

import json
import logging
import math
import time
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats

from autogenome_tf import metrics, training
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.search._enas.bank import Bank, Wiring
from autogenome_tf.search._enas.controller import Controller, Uniform
from autogenome_tf.search._request import Proposal

log = logging.getLogger(__name__)

# Part of the time left that the search may use before its finalists train.
SEARCH_SHARE = 0.5
# Held-out rows of a fold that reward an update; all of them score a candidate.
REWARDED = 256
# Children times rows that are judged in one call.
TOGETHER = 20_000
# The learning rate of shared weights falls to this part of its start, along a cosine.
LAST_RATE = 0.01
# Seconds after which an epoch's state is written again.
KEPT_EVERY = 30.0
FOLDER = "search/enas"
CURVES = f"{FOLDER}/curves.tsv"
# Its columns of time.
SECONDS = ("weights_seconds", "controller_seconds")


def seconds_of(run):
    """Return the seconds that an interrupted run has trained shared weights and controller."""
    if not run.has(CURVES):
        return 0.0
    return float(run.read_table(CURVES)[list(SECONDS)].to_numpy().sum())


class Finalists:
    """Searches when it is first asked for a proposal.

    Files in search/enas of the run: curves.tsv (an epoch a line), candidates.tsv (arcs with their
    shared scores, of the controller and, beside it, drawn uniformly), finalists.tsv (shared and
    stand-alone scores), report.json (how far these agree, and what the controller is worth).
    state.npz lets an interrupted search go on; it is removed.

    Args:
        request: The `Request` of the method. Of the space of the family wired, what is not part of
            an arc takes its first option; rows are in memory.

    Attributes:
        wiring: `Wiring`, what arcs mean.

    Raises:
        InputError: Where rows do not fit into memory.
    """

    def __init__(self, request):
        folds = request.cross_validation
        if folds.is_streamed:
            raise InputError(
                "search.method enas needs the rows in memory, and they do not fit; expected "
                "another method."
            )
        self._search, self._training = request.search, request.training
        self._settings, self._seed = request.search.enas, request.seed
        self._folds, self._run, self._deadline = folds, request.run, request.deadline
        self.wiring = Wiring(request.spaces["wired"])
        self._curves: list[dict[str, Any]] = []
        self._finalists: list[dict[str, Any]] | None = None
        self._reported: list[dict[str, Any]] = []

    def propose(self) -> Proposal | None:
        """Return the next finalist, best first; None when all have been proposed."""
        if self._finalists is None:
            self._finalists = self._found()
        if len(self._reported) == len(self._finalists):
            return None
        finalist = self._finalists[len(self._reported)]
        values = self.wiring.values(finalist["arc"])
        return Proposal(finalist, "wired", values, self._training.epochs)

    def report(self, finalist: dict[str, Any], score: float | None) -> None:
        """Note the stand-alone score of a finalist, None for a failure."""
        self._reported.append(finalist | {"score": math.nan if score is None else score})
        self._write("finalists", self._reported)
        self._report()

    def _found(self):
        """Return the arcs and shared scores of the finalists."""
        candidates = self._recorded() or self._searched()
        if self._run:
            self._run.remove(f"{FOLDER}/state.npz")
        own = [one for one in candidates if one["by"] == self._settings.controller]
        return own[: min(self._search.top_k, self._search.max_trials)]

    def _recorded(self):
        """Return the candidates of an interrupted run."""
        if not (self._run and self._run.has(f"{FOLDER}/candidates.tsv")):
            return []
        frame = self._run.read_table(f"{FOLDER}/candidates.tsv")
        return [one | {"arc": json.loads(one["arc"])} for one in frame.to_dict("records")]

    def _searched(self):
        bank, controller = self.trained()
        uniform = Uniform(self.wiring.allowed, derive(self._seed, "uniform"))
        drawn = {self._settings.controller: controller, "uniform": uniform}
        candidates = []
        for by, sampler in drawn.items():
            arcs = np.unique(sampler.sample(self._settings.candidates), axis=0)
            scores = self.scores(bank, arcs)
            candidates += [
                {"arc": arc.tolist(), "by": by, "shared_score": score}
                for arc, score in zip(arcs, scores, strict=True)
            ]
        sign = -1 if metrics.HIGHER_IS_BETTER[self._folds.objective] else 1
        candidates.sort(key=lambda one: np.nan_to_num(sign * one["shared_score"], nan=np.inf))
        self._write("candidates", candidates)
        return candidates

    def _made(self):
        """Return a fresh bank and controller."""
        widest, settings = self.wiring.widest, self._settings
        network = self._folds.network("wired", widest, derive(self._seed, "bank"))
        bank = Bank(
            network,
            self.wiring,
            self._folds.rows("wired", widest),
            self._folds.task,
            self._training.optimizer,
            settings.children,
            self._seed,
        )
        bank.begin([network], derive(self._seed, "noise"), self._folds.factors("wired", widest))
        if settings.controller == "uniform":
            controller = Uniform(self.wiring.allowed, self._seed)
        else:
            controller = Controller(self.wiring.allowed, settings, self._seed)
        return bank, controller

    def trained(self):
        """Take turns of shared weights and controller, from where an interrupted run stopped.

        Returns:
            The `Bank` and the `Controller`.
        """
        bank, controller = self._made()
        epochs = self._search.epochs
        now = time.monotonic()
        ends = now + SEARCH_SHARE * (self._deadline - now)
        uniform = Uniform(self.wiring.allowed, derive(self._seed, "rehearsal"))
        bank.draw = uniform.sample
        rate = training.first_rate(bank, self._batches(bank, 0), self._training)
        bank.draw = controller.sample
        self._restore(bank, controller)
        kept = time.monotonic()
        for epoch in range(len(self._curves) + 1, epochs + 1):
            line = {"epoch": epoch} | self._epoch(bank, controller, rate, epoch)
            self._curves.append(line)
            self._write("curves", self._curves)
            log.info("enas: epoch %d/%d, %s", epoch, epochs, _said(line))
            if time.monotonic() > ends:
                log.info("enas: half of the time is used up after %d epochs", epoch)
                break
            if time.monotonic() - kept > KEPT_EVERY and epoch < epochs:
                self._keep(bank, controller)
                kept = time.monotonic()
        return bank, controller

    def _epoch(self, bank, controller, rate, epoch):
        """Run one epoch and return its measures."""
        started = time.monotonic()
        index = self._batches(bank, epoch).epoch()
        steps = np.arange(len(index)) / len(index) + epoch - 1
        cosine = (1 + np.cos(np.pi * steps / self._search.epochs)) / 2
        part = LAST_RATE + (1 - LAST_RATE) * cosine
        losses, _ = bank.epoch(index, (rate * part).astype("float32"))
        between = time.monotonic()
        random = np.random.default_rng([derive(self._seed, "rewarded"), epoch])
        measured = []
        for _ in range(self._settings.updates):
            arcs = controller.sample(self._settings.samples)
            measured.append(controller.learn(arcs, self._rewards(bank, arcs, random)))
        means = {name: float(np.mean([one[name] for one in measured])) for name in measured[0]}
        return {
            "loss": float(losses.mean()),
            "learning_rate": float(rate * part[-1]),
            **means,
            "weights_seconds": between - started,
            "controller_seconds": time.monotonic() - between,
        }

    def _batches(self, bank, epoch):
        """Return the shuffled batches of an epoch; the seed is the epoch's, for resumption."""
        seed = derive(self._seed, f"epoch/{epoch}")
        return training.Batches(
            bank, self._training.batch_size, seed, together=self._settings.children
        )

    def _rewards(self, bank, arcs, random):
        """Return the reward of each arc, (children,), by the task's own measure of a row."""
        task = self._folds.task
        held = [random.permutation(rows)[:REWARDED] for rows in bank.rows.validation]
        right, total = np.zeros(len(arcs)), 0.0
        for outputs, rows in zip(self._outputs(bank, arcs, held), held, strict=True):
            truth, weights = bank.rows.targets[rows], bank.rows.weights[rows]
            right, total = right + task.row_rewards(truth, outputs) @ weights, total + weights.sum()
        return task.reward(right / total)

    def scores(self, bank, arcs):
        """Return the objective of (children, decisions) on all validation rows, shared weights."""
        rows = max(map(len, bank.rows.validation))
        together = max(1, TOGETHER // rows)
        scores = []
        for start in range(0, len(arcs), together):
            some = arcs[start : start + together]
            outputs = self._outputs(bank, some, bank.rows.validation)
            for child in range(len(some)):
                held = [part[child] for part in outputs]
                own = self._folds.validation_outputs(held)
                calibrated = own / self._folds.temperature(own)
                scores.append(self._folds.score(self._folds.validation_rows, calibrated))
        return scores

    @staticmethod
    def _outputs(bank, arcs, held):
        """Return for each fold the (children, rows, outputs) of its validation rows."""
        most = max(map(len, held))
        outputs = bank.outputs(arcs, np.stack([np.resize(rows, most) for rows in held]))
        return [part[:, : len(rows)] for part, rows in zip(outputs, held, strict=True)]

    def _keep(self, bank, controller):
        """Write what a killed search needs to go on."""
        if not self._run:
            return
        state = bank.state()
        arrays = {f"bank/{i}": array for i, array in enumerate(state)}
        arrays |= {f"controller/{i}": array for i, array in enumerate(controller.state())}
        arrays["epochs"] = np.int64(len(self._curves))
        self._run.write_arrays(f"{FOLDER}/state.npz", is_compressed=False, **arrays)

    def _restore(self, bank, controller):
        if not (self._run and self._run.has(f"{FOLDER}/state.npz")):
            return
        arrays = self._run.read_arrays(f"{FOLDER}/state.npz")
        for room, keeper in (("bank", bank), ("controller", controller)):
            count = sum(name.startswith(f"{room}/") for name in arrays)
            keeper.restore([arrays[f"{room}/{i}"] for i in range(count)])
        frame = self._run.read_table(CURVES)
        self._curves = frame[frame["epoch"] <= int(arrays["epochs"])].to_dict("records")
        log.info("enas: continuing after epoch %d", len(self._curves))

    def _write(self, name, lines):
        if self._run:
            frame = pd.DataFrame(lines)
            if "arc" in frame:
                frame["arc"] = frame["arc"].map(json.dumps)
            self._run.write_table(f"{FOLDER}/{name}.tsv", frame, digits=None)

    def _report(self):
        """Say how far shared scores agree with stand-alone ones."""
        frame = pd.DataFrame(self._reported).dropna(subset=["shared_score", "score"])
        tau = math.nan
        if len(frame) > 1:
            tau = scipy.stats.kendalltau(frame["shared_score"], frame["score"]).statistic
        if len(self._reported) == len(self._finalists or ()):
            log.info(
                "enas: Kendall's tau between shared and stand-alone scores of %d finalists: %.2f",
                len(frame), tau,
            )  # fmt: skip
        if self._run:
            self._write_report(len(frame), tau)

    def _write_report(self, finalists, tau):
        table = self._run.read_table
        candidates = table(f"{FOLDER}/candidates.tsv").groupby("by")["shared_score"]
        highest = metrics.HIGHER_IS_BETTER[self._folds.objective]
        best, seconds = candidates.max() if highest else candidates.min(), {}
        for name in SECONDS:
            seconds[name] = float(table(CURVES)[name].sum())
        report = {
            "objective": self._folds.objective,
            "finalists": finalists,
            "kendall_tau": _or_none(tau),
            "best_shared_score": {by: _or_none(score) for by, score in best.items()},
            "median_shared_score": {
                by: _or_none(score) for by, score in candidates.median().items()
            },
            **seconds,
        }
        self._run.write_json(f"{FOLDER}/report.json", report)


def _or_none(number):
    """Return a number as JSON takes it."""
    return None if math.isnan(number) else float(number)


def _said(line):
    names = [name for name in line if name not in ("epoch", "learning_rate")]
    names = [name for name in names if not name.endswith("seconds")]
    return ", ".join(f"{name.replace('_', ' ')} {line[name]:.4g}" for name in names)
