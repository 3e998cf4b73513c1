"""Variational autoencoder with skip connections in encoder and decoder; see `nn.res_vae.ResVAE`."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from autogenome_tf.core.errors import InputError
from autogenome_tf.families import (
    ACTIVATIONS,
    AutoencoderFamily,
    Membership,
    Space,
    files,
    integer,
    limit,
    number,
    read_membership,
    sizes,
    word,
)

# Hyperparameters that are arguments of `ResVAE` as they are.
PASSED = (
    "skip", "likelihood", "beta", "free_bits", "dropout", "input_dropout", "activation",
    "normalization", "l2", "condition", "alignment",
)  # fmt: skip
DISTANCES = ("auto", "decoded", "prior")
LIKELIHOODS = ("auto", "gaussian", "bernoulli", "negative_binomial", "zero_inflated")


class ResVAE(AutoencoderFamily):
    """Variational autoencoder with skip connections in encoder and decoder."""

    space = {
        "latent": integer(16, 8, 32),
        "start_width": integer(256, 128, 512),
        "decay_ratio": number(0.5, 0.25, 1.0, low=0.01),
        "layers": integer(2, 3, low=1, high=8),
        "widths": sizes(optional=True),
        "skip": word("add", "concatenate", known=("add", "concatenate")),
        "linear": word("pca", known=("pca", "none")),
        # Bounds of different likelihoods are in different units, so a search has one.
        "likelihood": word("auto", known=LIKELIHOODS, alone=True),
        "condition": word("decoder", known=("decoder", "both", "shift")),
        "beta": number(1.0, high=1e6),
        "free_bits": number(0.0, high=1e6),
        # The ELBO that ranks trials does not see it, so a search has one.
        "alignment": number(0.0, high=1e6, alone=True),
        # It changes coordinates after training, and no ELBO.
        "distance": word("auto", known=DISTANCES, alone=True),
        "dropout": number(0.1, 0.0, 0.3, high=1.0, below=True),
        "input_dropout": number(0.1, 0.0, 0.3, high=1.0, below=True),
        "activation": word("relu", "elu", known=ACTIVATIONS),
        "normalization": word("batch", "none", known=("none", "batch")),
        "l2": number(0.0, high=1e6),
        "gene_sets": files(optional=True),
        "min_genes": limit(5),
        "max_genes": limit(500),
        "bypass": integer(1, low=0, optional=True),
    }

    @classmethod
    def opened(cls, given: dict[str, Any], place: str) -> Space:
        """Return the space; with `gene_sets` it has `bypass` in place of `latent`."""
        if "gene_sets" not in given:
            return {name: hyper for name, hyper in cls.space.items() if name != "bypass"}
        if "latent" in given:
            raise InputError(f"{place}.latent: the number of gene_sets sets it; expected no value.")
        kept = {name: hyper for name, hyper in cls.space.items() if name != "latent"}
        return kept | {"bypass": dataclasses.replace(cls.space["bypass"], optional=False)}

    @classmethod
    def levels(cls, settings: dict[str, tuple], features: Sequence[str] | None) -> list[Membership]:
        """Return the membership that wires latent units to genes, if there are `gene_sets`."""
        if not settings["gene_sets"]:
            return []
        (least,), (most,) = settings["min_genes"], settings["max_genes"]
        place = "families.resvae.gene_sets"
        return [read_membership(settings["gene_sets"], features, least, most, place)]

    @staticmethod
    def options(values: dict[str, Any], levels: list[Membership]) -> dict[str, Any]:
        """Return the arguments of `ResVAE`; units that stand for sets have `bypass` ones beside."""
        units = "bypass" if levels else "latent"
        passed = {key: values[key] for key in (units, *PASSED)}
        if passed["likelihood"] == "auto":
            # Without values to go by.
            passed["likelihood"] = "gaussian"
        return {**passed, "widths": widths(values), "linear": values["linear"] == "pca"}


def widths(values: dict[str, Any]) -> list[int]:
    """Return the widths of the encoder's layers, given or a falling geometric series.

    Args:
        values: Hyperparameters of a trial.
    """
    if values.get("widths"):
        return list(values["widths"])
    start, ratio = values["start_width"], values["decay_ratio"]
    least = values.get("latent", 1)
    return [max(least, round(start * ratio**layer)) for layer in range(values["layers"])]
