"""The contract of an explainer: a class in a file of `explainers/` attributes outputs to genes."""

import abc
from typing import Any, ClassVar

import keras
import numpy as np
import pandas as pd

from autogenome_tf.explainers._model import Branch, Model
from autogenome_tf.explainers._pairs import changed_importance
from autogenome_tf.explainers._tree_shapley import tree_shapley
from autogenome_tf.nn.trees import has_trees


class Explainer(abc.ABC):
    """Attribute the outputs of a network to genes.

    A class that derives from this one, in a file of `explainers/`, is a member of the open set: the
    config (`explanation.method`, `explanation.interactions.method`), `autogenome-tf check` and
    `schema`, the explain stage and the report know it at once by the name of the file. Configs and
    reports read the attributes from the source, so each is a literal.

    A network lies behind its preprocessing, which keeps one value per gene. It is explained at its
    logits or values, never at probabilities.

    Attributes:
        summary: The method in a few words, for the table of config keys.
        compared_with: What contributions are differences from, for log and report.
        tolerance: Part of the largest output, above 0, by which the sum of a row's contributions
            may miss the output less its base value; None where contributions do not add up.
        auto_order: Place among the methods that `explanation.method` "auto" tries, lowest first;
            None: it is not tried.
        serves_interactions: Whether `explanation.interactions.method` may name it.
        tables: Names of further files that `further_tables` makes.
        in_graph: A `tf.Module` class for the signature `explain` of an exported model. It is made
            of a network and the (background, genes) that it sees, and maps (rows, genes) to (rows,
            genes, outputs). None where the method cannot be a part of a graph.
    """

    summary: ClassVar[str]
    compared_with: ClassVar[str] = "a background of training samples"
    tolerance: ClassVar[float | None] = 1e-3
    auto_order: ClassVar[int | None] = None
    serves_interactions: ClassVar[bool] = True
    tables: ClassVar[tuple[str, ...]] = ()
    in_graph: ClassVar[type[Any] | None] = None

    @abc.abstractmethod
    def attribute(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute logits or values to genes.

        Args:
            network: Functional Keras model (rows, genes) -> (rows, outputs).
            rows: (rows, genes) float32, preprocessed.
            background: What `seen_background` returns: (background, genes) float32 by default.

        Returns:
            (rows, genes, outputs) float32.

        Raises:
            Unexplained: The method is not defined on a layer of the network.
        """

    def attribute_trees(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute the outputs of a network of trees: by default exact Shapley values.

        Args:
            network: As for `attribute`, of trees.
            rows: As for `attribute`.
            background: As for `attribute`.

        Returns:
            (rows, genes, outputs) float32.
        """
        return tree_shapley(network, rows, background)

    def contributions(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute the outputs of any network, as `attribute` or `attribute_trees` does.

        Args:
            network: As for `attribute`, or of trees.
            rows: As for `attribute`.
            background: As for `attribute`.

        Returns:
            (rows, genes, outputs) float32.
        """
        attribute = self.attribute_trees if has_trees(network) else self.attribute
        return attribute(network, rows, background)

    def background(
        self, model: Model, raw: np.ndarray, samples: list[str], background: np.ndarray
    ) -> np.ndarray:
        """Return the raw rows whose mean output is the base value; by default those given.

        Args:
            model: The fitted model.
            raw: (rows, genes) raw values of the explained rows.
            samples: (rows,) their ids, for errors.
            background: (background, genes) raw values that the stage has chosen.

        Raises:
            InputError: The method is not defined on these rows.
        """
        return background

    def seen_background(
        self, branch: Branch, raw: np.ndarray, background: np.ndarray, remaining_fraction: float
    ) -> np.ndarray:
        """Return the rows that `attribute` compares with: by default the background, preprocessed.

        Args:
            branch: A preprocessing and its network.
            raw: (rows, genes) raw values of the explained rows.
            background: (background, genes) raw values, as `background` returns them.
            remaining_fraction: Part of a gene's raw value that an in-silico perturbation leaves, at
                least 0 (the config's `explanation.part`).
        """
        return branch.seen(background)

    def interactions(
        self, network: keras.Model, rows: np.ndarray, perturbed: np.ndarray,
        background: np.ndarray, genes: list[int],
    ) -> np.ndarray:  # fmt: skip
        """Measure interactions of pairs of genes; by default deep feature interaction maps.

        Args:
            network: Functional Keras model (rows, genes) -> (rows, outputs).
            rows: (rows, genes) float32, preprocessed.
            perturbed: (rows, genes) the same where each gene by itself is knocked out.
            background: As `attribute` takes it.
            genes: Positions of the genes to pair, at least two.

        Returns:
            (rows, pairs, outputs) float32, in the order of `itertools.combinations`.
        """
        return changed_importance(
            lambda some: self.contributions(network, some, background), rows, perturbed, genes
        )

    def further_tables(self, model: Model) -> dict[str, pd.DataFrame]:
        """Return tables beside attributions.tsv, by the names that `tables` lists.

        Args:
            model: Model that is explained.
        """
        return {}
