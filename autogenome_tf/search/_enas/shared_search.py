"""Alternate training of shared weights and sampler; scores of children by shared weights."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np

from autogenome_tf import training
from autogenome_tf.core.errors import InputError
from autogenome_tf.core.seeds import derive
from autogenome_tf.search._enas import tables
from autogenome_tf.search._enas.bank import Bank
from autogenome_tf.search._enas.children import ChildSpace
from autogenome_tf.search._enas.controller import Controller
from autogenome_tf.search._enas.samplers import (
    Evolution,
    Limited,
    Sampler,
    Sandwich,
    Uniform,
    smallest_code,
)
from autogenome_tf.search._enas.views import Views, searchable

log = logging.getLogger(__name__)

# Part of the time left that the search may use before its finalists train.
SEARCH_SHARE = 0.5
# Validation rows of a fold that reward an update, at most.
REWARDED = 2048
# Children times rows that are judged in one call.
TOGETHER = 20_000
# The learning rate of shared weights falls to this part of its start, along a cosine.
LAST_RATE = 0.01
# Seconds after which an epoch's state is written again.
KEPT_EVERY = 30.0
# Draws among which the largest child within a limit is looked for.
SIZED = 512
# Passes over the rows in an epoch of shared weights: a child has a part of its steps alone, and a
# pass costs a fraction of the rewards behind it.
PASSES = 4


class SharedSearch:
    """Train a bank and its sampler in turns.

    Args:
        request: The `Request` of the method; rows are in memory.

    Attributes:
        space: The `ChildSpace`.
        curves: A dict an epoch.

    Raises:
        InputError: Where rows do not fit into memory, or no child is within the limit.
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
        self.space = ChildSpace(searchable(request.spaces["wired"], folds))
        self._widest = training.Configuration("wired", self.space.widest)
        self.curves: list[dict[str, Any]] = []
        self._rate = float("nan")
        self._largest = self._within_limit()

    def parameters(self, codes: np.ndarray) -> np.ndarray:
        """Count the trained parameters of children on genes, (children,).

        Args:
            codes: (children, decisions) positions.
        """
        own = self._folds.fold_inputs(self._widest)
        is_of_genes = own.are_genes
        genes = own.width if is_of_genes else max(len(fold.genes) for fold in own.constants)
        return self.space.parameters(codes, genes, self._folds.task.outputs)

    def uniform(self, purpose: str) -> Sampler:
        """Return a sampler of all children with equal probability.

        Args:
            purpose: Its seed derives from it.
        """
        return self._limited(Uniform(self.space.options, derive(self._seed, purpose)))

    def made(self) -> tuple[Bank, Sampler]:
        """Return a fresh bank and sampler."""
        views = Views.of(self._folds, self.space.widest, self.space.beside)
        width, seed = views.rows.inputs.shape[-1], derive(self._seed, "bank")
        network = self._folds.network(self._widest, seed, inputs=width)
        options = self._training.optimizer, self._settings.children, self._seed
        bank = Bank(network, self.space, views, self._folds.task, *options)
        bank.begin([network], derive(self._seed, "noise"))
        return bank, self._limited(self._sampler())

    def trained(self) -> tuple[Bank, Sampler]:
        """Take turns of bank and sampler, from where an interrupted run stopped."""
        bank, sampler = self.made()
        epochs, began = self._search.epochs, time.monotonic()
        given = SEARCH_SHARE * (self._deadline - began)
        bank.draw = self._children(0).sample
        self._rate = training.first_rate(bank, self._batches(bank, 0), self._training)
        self._restore(bank, sampler)
        kept = time.monotonic()
        for epoch in range(len(self.curves) + 1, epochs + 1):
            # Where time ends the search before its epochs do, the rate has fallen all the same.
            used = (time.monotonic() - began) / given if given > 0 else 1.0
            done = max((epoch - 1) / epochs, used)
            line = {"epoch": epoch} | self._epoch(bank, sampler, epoch, done)
            self.curves.append(line)
            tables.write(self._run, "curves", self.curves)
            log.info("enas: epoch %d/%d, %s", epoch, epochs, _text(line))
            if time.monotonic() > began + given:
                log.info("enas: half of the time is used up after %d epochs", epoch)
                break
            if time.monotonic() - kept > KEPT_EVERY and epoch < epochs:
                self._keep(bank, sampler)
                kept = time.monotonic()
        return bank, sampler

    def rewards(self, bank: Bank, codes: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return the mean out-of-fold log-likelihood of each child, (children,).

        Args:
            bank: The shared weights.
            codes: (children, decisions) positions.
            random: Chooses among more than `REWARDED` validation rows of a fold.
        """
        chosen = [random.permutation(rows)[:REWARDED] for rows in bank.rows.validation]
        comparable = self._folds.task.comparable
        parts = self._outputs(bank, codes, chosen)
        outputs = np.concatenate([[comparable(own) for own in part] for part in parts], axis=1)
        rows = np.concatenate(chosen)
        known = bank.rows.targets[rows], outputs, bank.rows.weights[rows]
        return self._folds.task.log_likelihoods(*known)

    def scores(self, bank: Bank, codes: np.ndarray) -> list[float]:
        """Return the objective of children on all validation rows with shared weights.

        Args:
            bank: The shared weights.
            codes: (children, decisions) positions.
        """
        rows = max(map(len, bank.rows.validation))
        together = max(1, TOGETHER // rows)
        scores = []
        for start in range(0, len(codes), together):
            some = codes[start : start + together]
            outputs = self._outputs(bank, some, bank.rows.validation)
            for child in range(len(some)):
                own = self._folds.validation_outputs([part[child] for part in outputs])
                calibrated = own / self._folds.temperature(own)
                scores.append(self._folds.score(self._folds.validation_rows, calibrated))
        return scores

    def _sampler(self):
        """Return the sampler that `search.enas.controller` names."""
        if self._settings.controller == "uniform":
            return Uniform(self.space.options, self._seed)
        if self._settings.controller == "evolution":
            return Evolution(self.space.options, self._seed)
        beside = [len(options) for options in self.space.beside.values()]
        return Controller(self.space.allowed, self._settings, self._seed, beside)

    def _children(self, epoch):
        """Return the sampler of an epoch's children; its seed is the epoch's, for resumption."""
        seed, limit = derive(self._seed, f"children/{epoch}"), self._search.max_parameters
        within = self._is_within if limit else None
        return Sandwich(self.space, self._settings.children, seed, self._largest, within)

    def _limited(self, sampler):
        if not self._search.max_parameters:
            return sampler
        return Limited(sampler, self._is_within, smallest_code(self.space))

    def _is_within(self, codes):
        return self.parameters(codes) <= self._search.max_parameters

    def _within_limit(self):
        """Return the code of the largest child within the limit, or None for no limit."""
        if not self._search.max_parameters:
            return None
        (fewest,) = self.parameters(smallest_code(self.space)[None])
        if fewest > self._search.max_parameters:
            raise InputError(
                f"search.max_parameters: the smallest network has {fewest:,} parameters; expected "
                f"at least that; received {self._search.max_parameters:,}. Lower "
                "families.wired.max_width or data.top_variable."
            )
        codes = self.uniform("largest").sample(SIZED)
        return codes[self.parameters(codes).argmax()]

    def _epoch(self, bank, sampler, epoch, done):
        """Run one epoch, before which a part of the search is done, and return its measures."""
        started = time.monotonic()
        batches = self._batches(bank, epoch)
        index = np.concatenate([batches.epoch() for _ in range(PASSES)])
        steps = done + np.arange(len(index)) / len(index) / self._search.epochs
        cosine = (1 + np.cos(np.pi * np.minimum(steps, 1))) / 2
        rates = self._rate * (LAST_RATE + (1 - LAST_RATE) * cosine)
        bank.draw = self._children(epoch).sample
        losses, _ = bank.epoch(index, rates.astype("float32"))
        between = time.monotonic()
        random = np.random.default_rng([derive(self._seed, "rewarded"), epoch])
        measured = []
        for _ in range(self._settings.updates):
            codes = sampler.sample(self._settings.samples)
            measured.append(sampler.learn(codes, self.rewards(bank, codes, random)))
        means = {name: float(np.mean([one[name] for one in measured])) for name in measured[0]}
        return {
            "loss": float(losses.mean()),
            "learning_rate": float(rates[-1]),
            **means,
            "weights_seconds": between - started,
            "controller_seconds": time.monotonic() - between,
        }

    def _batches(self, bank, epoch):
        """Return the shuffled batches of an epoch; the seed is the epoch's, for resumption."""
        seed = derive(self._seed, f"epoch/{epoch}")
        return training.Batches(bank, self._training.batch_size, seed)

    @staticmethod
    def _outputs(bank, codes, rows):
        """Return for each fold the (children, rows, outputs) of some validation rows."""
        most = max(map(len, rows))
        outputs = bank.outputs(codes, np.stack([np.resize(own, most) for own in rows]))
        return [part[:, : len(own)] for part, own in zip(outputs, rows, strict=True)]

    def _keep(self, bank, sampler):
        """Write what a killed search needs to go on."""
        if not self._run:
            return
        arrays = {f"bank/{i}": array for i, array in enumerate(bank.state())}
        arrays |= {f"controller/{i}": array for i, array in enumerate(sampler.state())}
        arrays["epochs"] = np.int64(len(self.curves))
        self._run.write_arrays(f"{tables.FOLDER}/state.npz", is_compressed=False, **arrays)

    def _restore(self, bank, sampler):
        if not (self._run and self._run.has(f"{tables.FOLDER}/state.npz")):
            return
        arrays = self._run.read_arrays(f"{tables.FOLDER}/state.npz")
        kept = {
            part: [array for name, array in arrays.items() if name.startswith(f"{part}/")]
            for part in ("bank", "controller")
        }
        if list(map(np.shape, kept["bank"])) != list(map(np.shape, bank.state())):
            log.warning("enas: the shared weights are of another version; training starts anew")
            return
        bank.restore(kept["bank"])
        sampler.restore(kept["controller"])
        frame = self._run.read_table(tables.CURVES)
        self.curves = frame[frame["epoch"] <= int(arrays["epochs"])].to_dict("records")
        log.info("enas: continuing after epoch %d", len(self.curves))


def _text(line):
    names = [name for name in line if name not in ("epoch", "learning_rate")]
    names = [name for name in names if not name.endswith("seconds")]
    return ", ".join(f"{name.replace('_', ' ')} {line[name]:.4g}" for name in names)
