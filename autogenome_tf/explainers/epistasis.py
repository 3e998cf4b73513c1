"""Exact Shapley values of genotypes (rows of 0 and 1), against the mean over all genotypes.

A network on n sites is a sum of products, f(x) = sum over S of g_S chi_S(x) (see
`nn.walsh_hadamard`), and each product's value is shared alike by its sites:
phi_i(x) = sum over S with i of g_S chi_S(x) / |S|, where every genotype is equally likely in the
background.
"""

import logging

import keras
import numpy as np
import pandas as pd

from autogenome_tf import data
from autogenome_tf.core import chunked
from autogenome_tf.explainers._base import Explainer
from autogenome_tf.explainers._model import Model
from autogenome_tf.explainers._rule import Unexplained
from autogenome_tf.explainers._spectrum import genotypes, sites, spectrum
from autogenome_tf.nn import walsh_hadamard

log = logging.getLogger(__name__)

# Genotypes that a network runs on at once.
BLOCK = 1 << 13
# Orders of epistasis that the log names.
LOGGED_ORDERS = 4


class Epistasis(Explainer):
    """Attribute to each site its exact Shapley value over all genotypes."""

    summary = (
        "of up to 20 sites of 0 and 1, exact Shapley values, and the model as a sum of products of "
        "sites"
    )
    compared_with = "the mean over all genotypes"
    serves_interactions = False
    tables = ("epistasis.tsv", "epistasis_orders.tsv")

    def background(
        self, model: Model, raw: np.ndarray, samples: list[str], background: np.ndarray
    ) -> np.ndarray:
        """Return all genotypes of the sites that some network sees, in order.

        Raises:
            InputError: A row is no genotype, or there are too many sites.
        """
        data.check_genotypes(raw, samples, model.features, "explanation.method")
        return genotypes(model, sites(model))

    def attribute(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute logits or values to sites; see `Explainer.attribute`.

        With h_S = g_S / |S| and its transform H h, phi_i(x) is half of what H h changes where site
        i of x does, so that two transforms serve all rows.

        Args:
            network: Keras model (rows, sites) -> (rows, outputs).
            rows: (rows, sites) float32, as the network sees them.
            background: (2^n, sites) float32, all genotypes in order; the sites are n or some of n.

        Returns:
            (rows, sites, outputs); the sum over sites is the output minus its mean over genotypes.

        Raises:
            Unexplained: Where what the network sees of one site depends on others.
        """
        low, high = background[0], background[-1]
        if not ((background == low) | (background == high)).all():
            raise Unexplained("expected a transform of each value on its own, such as none")
        whole = _shared_terms(network, background)
        # The number of the genotype that is one at this site only, of the sites that there are.
        single = 1 << np.arange(len(background).bit_length() - 1)
        single = single[(background[single] != low).argmax(axis=0)]
        here = ((np.abs(rows - high) < np.abs(rows - low)) @ single)[:, None]
        change = whole[:, here] - whole[:, here ^ single]
        return np.moveaxis(change, 0, -1).astype("float32") / 2

    def attribute_trees(
        self, network: keras.Model, rows: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Attribute by all genotypes, as of any network; see `attribute`."""
        return self.attribute(network, rows, background)

    def further_tables(self, model: Model) -> dict[str, pd.DataFrame]:
        """Return the model as a sum of products of sites: its terms, and its variance by order."""
        found = spectrum(model)
        orders = found.orders()
        for output, shares in orders.groupby("output", sort=False)["share"]:
            listed = ", ".join(f"{share:.3f}" for share in shares[:LOGGED_ORDERS])
            log.info("epistasis: %s: shares of variance by order from 1 on: %s", output, listed)
        return dict(zip(self.tables, (found.table(), orders), strict=True))


def _shared_terms(network, rows):
    """Return the transform of each output's g_S / |S|, (outputs, 2^n), by rows of all genotypes."""
    parts = chunked.batches(rows, BLOCK)
    values = np.concatenate([np.asarray(network(part, training=False)) for part in parts])
    orders = np.maximum(walsh_hadamard.orders(len(rows).bit_length() - 1), 1)
    terms = walsh_hadamard.coefficients(values.T.astype("float64")) / orders
    return walsh_hadamard.transform(terms).numpy()
