"""Exact Shapley values of genotypes (rows of 0 and 1), against the mean over all genotypes.

A network on n sites is a sum of products, f(x) = sum over S of g_S chi_S(x) (see `walsh`), and each
product's value is shared alike by its sites: phi_i(x) = sum over S with i of g_S chi_S(x) / |S|,
where every genotype is equally likely in the background.
"""

import numpy as np

from autogenome_tf.core import chunked
from autogenome_tf.explainers._rule import Unexplained
from autogenome_tf.nn import walsh_hadamard

# In the place of a background stands what the network sees of all genotypes, in order.
OF_GENOTYPES = True
# Genotypes that a network runs on at once.
BLOCK = 1 << 13


def attribute(network, rows, genotypes):
    """Attribute logits or values to sites.

    With h_S = g_S / |S| and its transform H h, phi_i(x) is half of what H h changes where site i of
    x does, so that two transforms serve all rows.

    Args:
        network: Keras model (rows, sites) -> (rows, outputs).
        rows: (rows, sites) float32, as the network sees them.
        genotypes: (2^n, sites) float32; the sites are n or some of n.

    Returns:
        (rows, sites, outputs); the sum over sites is the output minus its mean over the genotypes.

    Raises:
        Unexplained: Where what the network sees of one site depends on others.
    """
    low, high = genotypes[0], genotypes[-1]
    if not ((genotypes == low) | (genotypes == high)).all():
        raise Unexplained("expected a transform of each value by itself, such as none")
    sites = len(genotypes).bit_length() - 1
    parts = chunked.batches(genotypes, BLOCK)
    values = np.concatenate([np.asarray(network(part, training=False)) for part in parts])
    shared = walsh_hadamard.coefficients(values.T.astype("float64")) / np.maximum(
        walsh_hadamard.orders(sites), 1
    )
    whole = walsh_hadamard.transform(shared).numpy()
    # The number of the genotype that is one at this site only, of the sites that there are.
    single = 1 << np.arange(sites)
    single = single[(genotypes[single] != low).argmax(axis=0)]
    here = ((np.abs(rows - high) < np.abs(rows - low)) @ single)[:, None]
    change = whole[:, here] - whole[:, here ^ single]
    return np.moveaxis(change, 0, -1).astype("float32") / 2
