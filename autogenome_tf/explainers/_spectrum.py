"""A model on genotypes as a sum of products of sites, as tables."""

import dataclasses

import numpy as np
import pandas as pd

from autogenome_tf.nn import walsh_hadamard

# Terms of an output in the table, the largest.
MOST_TERMS = 1000
BETWEEN = " x "


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """Walsh coefficients of each output.

    Attributes:
        coefficients: (outputs, 2^n) float64, in units of the outputs; see `walsh`.
        sites: (n,) names.
        outputs: Names of classes or targets.
    """

    coefficients: np.ndarray
    sites: list
    outputs: list

    def table(self):
        """The rows of epistasis.tsv: output, order, sites, coefficient, share.

        The largest coefficients of each output come first; that of no site, the mean over all
        genotypes, is left out. The share is that of the variance over all genotypes.
        """
        names, order = np.asarray(self.sites, object), walsh_hadamard.orders(len(self.sites))
        frames = []
        for output, found in zip(self.outputs, self.coefficients, strict=True):
            places = 1 + np.argsort(-np.abs(found[1:]), kind="stable")[:MOST_TERMS]
            is_in = walsh_hadamard.bits(places, len(names)).astype(bool)
            frames.append(
                pd.DataFrame(
                    {
                        "output": str(output),
                        "order": order[places],
                        "sites": [BETWEEN.join(names[one]) for one in is_in],
                        "coefficient": found[places],
                        "share": found[places] ** 2 / _total(found),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def orders(self):
        """The rows of epistasis_orders.tsv: output, order, variance, share."""
        frames = []
        for output, found in zip(self.outputs, self.coefficients, strict=True):
            variance = walsh_hadamard.variances(found)
            told = {"order": np.arange(1, len(variance) + 1), "variance": variance}
            told["share"] = variance / _total(found)
            frames.append(pd.DataFrame({"output": str(output), **told}))
        return pd.concat(frames, ignore_index=True)


def _total(found):
    """Variance over all genotypes; NaN where there is none."""
    return (found[1:] ** 2).sum() or np.nan
