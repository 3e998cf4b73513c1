"""A model on genotypes as a sum of products of sites."""

import dataclasses

import numpy as np
import pandas as pd

from autogenome_tf.core.errors import InputError
from autogenome_tf.explainers._model import Model
from autogenome_tf.nn import walsh_hadamard

# Sites whose genotypes are all looked at.
MOST_SITES = 20
# Terms of an output in the table, the largest.
MOST_TERMS = 1000
BETWEEN = " x "


@dataclasses.dataclass(frozen=True)
class Spectrum:
    """Walsh coefficients of each output.

    Attributes:
        coefficients: (outputs, 2^n) float64, in units of the outputs; see `nn.walsh_hadamard`.
        sites: (n,) names.
        outputs: Names of classes or targets.
    """

    coefficients: np.ndarray
    sites: list[str]
    outputs: list[str]

    def table(self) -> pd.DataFrame:
        """Return the rows of epistasis.tsv: output, order, sites, coefficient, share.

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

    def orders(self) -> pd.DataFrame:
        """Return the rows of epistasis_orders.tsv: output, order, variance, share."""
        frames = []
        for output, found in zip(self.outputs, self.coefficients, strict=True):
            variance = walsh_hadamard.variances(found)
            columns = {"order": np.arange(1, len(variance) + 1), "variance": variance}
            columns["share"] = variance / _total(found)
            frames.append(pd.DataFrame({"output": str(output), **columns}))
        return pd.concat(frames, ignore_index=True)


def spectrum(model: Model) -> Spectrum:
    """Expand a model into sums of products of sites, by its outputs for all genotypes.

    Args:
        model: Model of genotypes.

    Raises:
        InputError: Where there are more than `MOST_SITES` sites.
    """
    places = sites(model)
    values = model.outputs(genotypes(model, places)).T.astype("float64")
    names = [model.features[place] for place in places]
    return Spectrum(walsh_hadamard.coefficients(values).numpy(), names, model.output_names)


def sites(model: Model) -> np.ndarray:
    """Return the positions of the sites that some network of a model sees, (sites,).

    Raises:
        InputError: Where there are more than `MOST_SITES`.
    """
    found = np.unique(np.concatenate([branch.kept for branch in model.branches]))
    if len(found) > MOST_SITES:
        raise InputError(
            f"explanation.method: epistasis looks at all genotypes, of at most {MOST_SITES} sites; "
            f"received {len(found)}; see data.top_variable."
        )
    return found


def genotypes(model: Model, places: np.ndarray) -> np.ndarray:
    """Return all genotypes of some sites, (2^sites, features) raw; other sites are 0."""
    found = np.zeros((1 << len(places), len(model.features)), "float32")
    found[:, places] = walsh_hadamard.genotypes(len(places))
    return found


def _total(found):
    """Return the variance over all genotypes; NaN where there is none."""
    return (found[1:] ** 2).sum() or np.nan
