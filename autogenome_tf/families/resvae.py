"""Variational autoencoder with skip connections in encoder and decoder; see `resvae.ResVAE`."""

from autogenome_tf.families._space import ACTIVATIONS, integer, number, sizes, word

# What it is for; networks of all other families predict targets.
TASK = "representation"
LIKELIHOODS = ("gaussian", "bernoulli", "negative_binomial", "zero_inflated")

SPACE = {
    "latent": integer(16, 8, 32),
    "start_width": integer(256, 128, 512),
    "decay_ratio": number(0.5, 0.25, 1.0, low=0.01),
    "layers": integer(2, 3, low=1, high=8),
    "widths": sizes(optional=True),
    "skip": word("add", "concatenate", known=("add", "concatenate")),
    "linear": word("pca", known=("pca", "none")),
    # Bounds of different likelihoods are in different units, so a search has one.
    "likelihood": word("gaussian", known=LIKELIHOODS, alone=True),
    "beta": number(1.0, high=1e6),
    "free_bits": number(0.0, high=1e6),
    "dropout": number(0.1, 0.0, 0.3, high=1.0, below=True),
    "input_dropout": number(0.1, 0.0, 0.3, high=1.0, below=True),
    "activation": word("relu", "elu", known=ACTIVATIONS),
    "normalization": word("batch", "none", known=("none", "batch")),
    "l2": number(0.0, high=1e6),
}


def widths(values):
    """Widths of the encoder's layers, those given or a falling geometric series."""
    if values.get("widths"):
        return list(values["widths"])
    start, ratio = values["start_width"], values["decay_ratio"]
    return [max(values["latent"], round(start * ratio**layer)) for layer in range(values["layers"])]
