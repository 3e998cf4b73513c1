"""Evidence lower bounds of an autoencoder, and the training that maximises the ELBO."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autogenome_tf.nn._alignment import discrepancy
from autogenome_tf.nn.likelihoods import BOUND, Likelihood, kl_divergence, log_normal

# Rows decoded at once where a row has many draws.
DECODED = 4096


class ElboModel(keras.Model):
    """An autoencoder that is trained by the negative evidence lower bound (ELBO).

    A subclass makes encoder and decoder in its constructor, and the attributes below.

    Attributes:
        encoder: Keras model, (rows, genes + covariates) -> means and log variances.
        decoder: Keras model, (rows, latent + covariates) -> heads of the likelihood.
        likelihood: Of the values that are decoded.
        genes: Number of genes.
        covariates: Number of inputs behind the genes.
        beta: Weight of the divergence.
        free_bits: Nats of each unit's mean divergence that cost nothing.
        alignment: Weight of the discrepancy between levels of the covariates, in nats a gene.
        deviation: (latent,) float32 standard deviations of the prior.
        noise: Keras SeedGenerator of the draws.
        shared: Parameters of the likelihood that all rows share.
        warmth: Factor of `beta`, which training warms up.
        classifier: Keras model, (rows, latent) -> logits (rows, classes), or None.
        label_weight: Nats of the ELBO that a nat of the labels' cross-entropy counts as: the
            `classification_ratio` of scANVI (Xu et al. 2021) in scvi-tools, whose ELBO is summed
            over genes too.
    """

    encoder: keras.Model
    decoder: keras.Model
    likelihood: Likelihood
    genes: int
    covariates: int
    beta: float
    free_bits: float
    alignment: float
    deviation: np.ndarray
    noise: keras.random.SeedGenerator
    shared: Any
    warmth: Any
    classifier: Any
    label_weight = 50.0
    # (genes + covariates,) float32, 0 where the encoder does not see an input; None: it sees all.
    _seen: np.ndarray | None

    def bound(self, inputs: Any, seed: Any = None) -> tuple[tf.Tensor, tf.Tensor]:
        """Compute the two parts of the ELBO, with one draw a row.

        Args:
            inputs: As for a call.
            seed: Of the draw: an integer, or a tensor of it and 0, so that one trace serves
                several; None for the model's own stream.

        Returns:
            (rows,) log likelihoods and (rows, latent) divergences, in nats.
        """
        likelihood, divergence, _ = self._bound_at(inputs, False, seed)
        return likelihood, divergence

    def _bound_at(self, inputs, training, seed):
        """Return the terms of `bound`, in training too, and the (rows, latent) points drawn."""
        rows, values = self._rows_and_values(inputs)
        mean, log_variance = self._encoded(rows, training)
        if seed is None:
            drawn = keras.random.normal(tf.shape(mean), seed=self.noise)
        else:
            seed = [seed, 0] if isinstance(seed, int) else seed
            drawn = tf.random.stateless_normal(tf.shape(mean), seed)
        points = mean + tf.exp(0.5 * log_variance) * drawn
        decoded = self.decoder(self._onto(points, rows), training=training)
        divergence = kl_divergence(mean / self.deviation, log_variance - self._log_prior)
        return self._log_likelihood(values, decoded), divergence, points

    def importance_weighted(self, inputs: Any, draws: int, seed: int) -> tf.Tensor:
        """Compute the importance-weighted bound on log p of each row (Burda et al. 2016).

        Args:
            inputs: As for a call.
            draws: Number of draws; the expected bound rises with it, and at 1 is the ELBO.
            seed: Of the draws.

        Returns:
            (rows,) in nats.
        """
        rows, values = self._rows_and_values(inputs)
        mean, log_variance = self._encoded(rows, training=False)
        generator, weights = keras.random.SeedGenerator(seed), []
        count = len(mean)
        together = max(1, DECODED // count)
        constant = self.likelihood.constant(values, self._bounded_shared)
        for start in range(0, draws, together):
            times = min(together, draws - start)
            levels, centre, spread = (
                tf.tile(part, [times, 1]) for part in (rows[:, self.genes :], mean, log_variance)
            )
            drawn = keras.random.normal(tf.shape(centre), seed=generator)
            points = centre + tf.exp(0.5 * spread) * drawn
            decoded = self.decoder(self._with_covariates(points, levels), training=False)
            prior = tf.reduce_sum(log_normal(points, 0.0, self._log_prior), axis=-1)
            posterior = tf.reduce_sum(log_normal(points, centre, spread), axis=-1)
            each = tf.reshape(decoded, (times, count, -1))
            found = self._log_likelihood(values, each, constant)
            weights.append(found + tf.reshape(prior - posterior, (times, count)))
        return tf.reduce_logsumexp(tf.concat(weights, axis=0), axis=0) - np.log(draws)

    def row_losses(self, inputs: Any, labels: Any = None, seed: Any = None) -> tf.Tensor:
        """Compute the parts of each row's loss; arguments as for `losses_of`.

        Args:
            inputs: As for a call.
            labels: (rows,) positions of classes, -1 where a row has no label; or None.
            seed: Seed of the sampling, or None.

        Returns:
            (rows, 2) negative log likelihoods and divergences, in nats; with labels (rows, 3),
            `label_weight` times the cross-entropy, 0 without a label, behind them.
        """
        likelihood, divergence, points = self._bound_at(inputs, False, seed)
        parts = [-likelihood, tf.reduce_sum(divergence, axis=1)]
        if labels is not None:
            parts.append(self.label_weight * _cross_entropies(self.classifier(points), labels))
        return tf.stack(parts, axis=1)

    def losses_of(
        self, inputs: Any, training: bool = False, seed: Any = None, labels: Any = None
    ) -> dict[str, tf.Tensor]:
        """Compute the loss of some rows and its parts; arguments as for `bound`.

        With labels it is that of scANVI (Xu et al. 2021): the negative ELBO plus
        `label_weight` times the mean cross-entropy of the rows that have one, of the classifier at
        the points drawn. With `alignment` so many times the `discrepancy` of the covariates' levels
        at these points is added, in nats a gene, so that batches mix. trVAE (Lotfollahi et al.
        2020) adds one that weighs all rows alike.

        Args:
            inputs: As for a call.
            training: Whether dropout is on.
            seed: Seed of the sampling, or None.
            labels: (rows,) positions of classes, -1 where a row has no label; or None.

        Returns:
            Dict of scalars: loss (over the number of genes), reconstruction (mean negative log
            likelihood of a row) and kl (mean divergence of a row), both in nats; with labels
            cross_entropy too.
        """
        likelihood, divergence, points = self._bound_at(inputs, training, seed)
        reconstruction = -tf.reduce_mean(likelihood)
        units = tf.reduce_mean(divergence, axis=0)
        paid = tf.reduce_sum(tf.maximum(units, self.free_bits))
        total = reconstruction + self.beta * self.warmth * paid
        parts = {"reconstruction": reconstruction, "kl": tf.reduce_sum(units)}
        if labels is not None:
            known = tf.reduce_sum(tf.cast(labels >= 0, tf.float32))
            each = _cross_entropies(self.classifier(points), labels)
            parts["cross_entropy"] = tf.reduce_sum(each) / tf.maximum(known, 1.0)
            total += self.label_weight * parts["cross_entropy"]
        loss = total / self.genes + sum(self.losses)
        if self.alignment and self.covariates:
            rows, _ = self._rows_and_values(inputs)
            apart = discrepancy(points / self.deviation, rows[:, self.genes :])
            loss += self.alignment * apart
        return {"loss": loss} | parts

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Run one step of `fit`.

        Args:
            data: Batch as Keras hands it on.
        """
        inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            found = self.losses_of(inputs, training=True, labels=labels)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(found["loss"], variables), variables)
        return found

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Run one step of `evaluate`.

        Args:
            data: Batch as Keras hands it on.
        """
        inputs, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.losses_of(inputs, labels=labels)

    def _encoded(self, rows, training):
        seen = rows if self._seen is None else rows * self._seen
        return self.encoder(seen, training=training)

    @property
    def _log_prior(self):
        """Return the (latent,) log variances of the prior."""
        return 2 * np.log(self.deviation)

    def _rows_and_values(self, inputs):
        """Return the encoder's input and the values of the likelihood."""
        if self.likelihood.of_raw:
            return inputs
        return inputs, inputs[:, : self.genes]

    def _onto(self, points, rows):
        return self._with_covariates(points, rows[:, self.genes :])

    def _with_covariates(self, points, covariates):
        if not self.covariates:
            return points
        if covariates is None:
            covariates = tf.zeros((tf.shape(points)[0], self.covariates))
        return tf.concat([points, tf.cast(covariates, tf.float32)], axis=-1)

    @property
    def _bounded_shared(self):
        return tf.clip_by_value(self.shared, -BOUND, BOUND)

    def _log_likelihood(self, values, decoded, constant=None):
        known = self._bounded_shared, library_sizes(values), constant
        return self.likelihood.log_likelihood(values, decoded, *known)


def _cross_entropies(logits, labels):
    """Return the cross-entropy of each row, (rows,), 0 without a label."""
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
    return tf.where(labels >= 0, each, 0.0)


def library_sizes(values: Any) -> tf.Tensor:
    """Return the (rows, 1) sums of known values, (rows, genes).

    Args:
        values: (rows, genes) counts, NaN or infinite where one is not known.
    """
    known = tf.where(tf.math.is_finite(values), values, 0.0)
    return tf.reduce_sum(known, axis=-1, keepdims=True)
