"""Initial weights of a Res-VAE: linear skip connections as probabilistic PCA, its classifier."""

import dataclasses
from typing import Any

import numpy as np
import sklearn.linear_model

from autogenome_tf.nn._res_vae_layers import DECODER_ENDS, ENCODER_ENDS
from autogenome_tf.nn.probabilistic_pca import ProbabilisticPCA

# Bounds of means and shares, so that their logits and logarithms are finite.
LEAST_PROBABILITY, LEAST_SHARE = 0.01, 1e-8
LEAST_DEVIATION = 1e-6


def start_as_pca(
    model: Any, rows: np.ndarray, covariates: np.ndarray | None, values: np.ndarray | None
) -> None:
    """Assign the weights that make a model the probabilistic PCA of some rows; see `ResVAE.start`.

    Args:
        model: A `ResVAE` with `linear`.
        rows: (rows, genes), what the encoder sees, without covariates.
        covariates: (rows, covariates); None for none.
        values: (rows, genes) raw, where the likelihood is of raw values; else None.
    """
    start = _Start.of(model, rows, covariates)
    _assign_encoder(model, start)
    slopes, offset = 1.0, start.pca.mean
    if model.likelihood.of_raw:
        slopes, centre = _tangent(model.likelihood, rows, np.nan_to_num(np.asarray(values)))
        offset = centre - slopes * (rows.mean(axis=0, dtype="float64") - start.pca.mean)
    kernel = np.vstack([start.pca.kernel, start.levels]) * slopes
    _assign_decoder(model, *_on_first_head(kernel, offset, model.likelihood.heads))
    if model.likelihood.shared == "variance" and model.shared.trainable:
        model.shared.assign([np.log(start.pca.variance)])


def start_classifier(model: Any, points: np.ndarray, labels: np.ndarray) -> None:
    """Assign the weights of a classifier that is a logistic regression on latent points.

    Classes without a row keep weights of 0.

    Args:
        model: A `ResVAE` with classes.
        points: (rows, latent).
        labels: (rows,) positions of classes, -1 where a row has no label.
    """
    rows = labels >= 0
    kernel, bias = model.classifier.get_weights()
    if len(np.unique(labels[rows])) < 2:
        return
    fit = sklearn.linear_model.LogisticRegression(max_iter=1000).fit(points[rows], labels[rows])
    slopes, offsets = fit.coef_, fit.intercept_
    if len(slopes) == 1:
        # Of two classes scikit-learn has the difference of the logits.
        slopes, offsets = np.vstack([-slopes, slopes]) / 2, np.r_[-offsets, offsets] / 2
    kernel[:, fit.classes_], bias[fit.classes_] = slopes.T, offsets
    model.classifier.set_weights([kernel, bias])


@dataclasses.dataclass(frozen=True, eq=False)
class _Start:
    """Principal components of what covariates leave of the rows.

    Attributes:
        pca: Of the residuals.
        levels: (covariates, genes) mean levels of the covariates.
        mean: (genes,) mean of the rows.
        directions: (directions, genes) orthonormal basis of the differences between levels.
    """

    pca: ProbabilisticPCA
    levels: np.ndarray
    mean: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, model, rows, covariates):
        coded = np.zeros((len(rows), 0)) if covariates is None else covariates
        levels = np.linalg.lstsq(coded, rows, rcond=None)[0]
        left = (rows - coded @ levels).astype("float32")
        sets = model.get_config()["sets"]
        if sets:
            pca = ProbabilisticPCA.of_sets(left, *map(np.asarray, sets))
        else:
            pca = ProbabilisticPCA.of(left, model.latent)
        mean = rows.mean(axis=0, dtype="float64")
        return cls(pca, levels, mean, _directions(np.asarray(coded), levels))


def _assign_encoder(model, start):
    pca = start.pca
    around, log_variances, deep = (model.encoder.get_layer(name) for name in ENCODER_ENDS)
    if model.get_config()["condition"] == "both":
        weights, shift = pca.encoder, -start.levels @ pca.encoder
        centre = pca.mean
    else:
        weights = pca.encoder - start.directions.T @ (start.directions @ pca.encoder)
        shift, centre = np.zeros((model.covariates, model.latent)), start.mean
    around.set_weights([np.vstack([weights, shift]), -centre @ weights])
    log_variances.set_weights([np.zeros(log_variances.kernel.shape), np.log(pca.posterior)])
    _silence(deep)


def _directions(coded, levels):
    """Return an orthonormal basis (directions, genes) of the differences between levels."""
    if not coded.shape[1]:
        return np.zeros((0, levels.shape[1]))
    centred = coded - coded.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(coded))
    weights = vectors * np.sqrt(np.maximum(values, 0))
    _, sizes, basis = np.linalg.svd(weights.T @ levels, full_matrices=False)
    return basis[sizes > 1e-6 * max(sizes[0], 1e-30)]


def _assign_decoder(model, kernel, bias):
    if model.get_config()["sets"]:
        wired = model.decoder.layers[-1]
        wired.set_weights([kernel[wired.rows, wired.columns], bias])
        return
    around, deep = (model.decoder.get_layer(name) for name in DECODER_ENDS)
    around.set_weights([kernel, bias])
    _silence(deep)


def _on_first_head(kernel, bias, heads):
    """Widen a layer to all heads of a likelihood; all but the first start at 0."""
    others = (heads - 1) * kernel.shape[1]
    kernel = np.hstack([kernel, np.zeros((len(kernel), others))])
    return kernel, np.concatenate([bias, np.zeros(others)])


def _tangent(likelihood, rows, values):
    """Return the slope of each gene's decoder output along `rows`, and its value at the mean."""
    mean = values.mean(axis=0, dtype="float64")
    deviation = np.maximum(rows.std(axis=0), LEAST_DEVIATION)
    if likelihood.shared != "dispersion":
        probability = np.clip(mean, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        spread = values.std(axis=0) / deviation
        odds = probability / (1 - probability)
        return spread / (probability * (1 - probability)), np.log(odds)
    shares = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-12)
    centre = np.log(np.maximum(shares.mean(axis=0, dtype="float64"), LEAST_SHARE))
    logs = np.log(shares + np.exp(centre))
    return logs.std(axis=0) / deviation, centre


def _silence(layer):
    layer.set_weights([np.zeros(weights.shape) for weights in layer.get_weights()])
