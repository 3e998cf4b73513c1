"""Cox's partial likelihood of several sets of rows at once; the part that imports TensorFlow."""

from typing import Any

import tensorflow as tf


def losses(targets: Any, risks: Any, weights: Any = None) -> Any:
    """Return minus the log partial likelihood of each row's event, ties by Efron's method.

    Each set of rows is compared with itself alone; see `partial_likelihood.RiskSets`.

    Args:
        targets: (sets, rows, 2) time and event.
        risks: (sets, rows) log-risks.
        weights: (sets, rows) weight of each row, above 0; None: all rows count alike.

    Returns:
        (sets, rows), 0 for censored rows.
    """
    times, events = targets[..., 0], tf.cast(targets[..., 1], risks.dtype)
    weights = tf.ones_like(risks) if weights is None else tf.cast(weights, risks.dtype)
    order = tf.argsort(times, axis=1, direction="DESCENDING", stable=True)
    times, events, own, weights = (
        tf.gather(part, order, batch_dims=1) for part in (times, events, risks, weights)
    )
    groups, places = _groups(times)
    shares = own + tf.math.log(weights)
    at_risk = _last(tf.math.cumulative_logsumexp(shares, axis=1), groups, places)
    tied = _summed(events * tf.exp(shares - at_risk), groups)
    logs = at_risk + tf.math.log1p(-_left_out(events, groups) * tied)
    # Events at the same time share their mean weight, as in R's survival.
    mean = _summed(events * weights, groups) / tf.maximum(_summed(events, groups), 1.0)
    found = events * (logs * mean / weights - own)
    return tf.gather(found, tf.argsort(order, axis=1), batch_dims=1)


def _groups(times):
    """Return for each place, (sets * rows,), the number of its group of equal times, and places."""
    starts = tf.pad(times[:, 1:] != times[:, :-1], [[0, 0], [1, 0]], constant_values=True)
    groups = tf.cumsum(tf.cast(tf.reshape(starts, (-1,)), tf.int32)) - 1
    return groups, tf.range(tf.size(groups))


def _last(values, groups, places):
    """Return for each row the value at the end of its group."""
    ends = tf.math.unsorted_segment_max(places, groups, tf.size(groups))
    flat = tf.reshape(values, (-1,))
    return tf.reshape(tf.gather(flat, tf.gather(ends, groups)), tf.shape(values))


def _summed(values, groups):
    """Return for each row the sum over its group."""
    flat = tf.reshape(values, (-1,))
    sums = tf.math.unsorted_segment_sum(flat, groups, tf.size(groups))
    return tf.reshape(tf.gather(sums, groups), tf.shape(values))


def _left_out(events, groups):
    """Return l / d for the l-th of d events at the same time, l from 0."""
    before = tf.cumsum(events, axis=1, exclusive=True)
    flat = tf.reshape(before, (-1,))
    first = tf.math.unsorted_segment_min(flat, groups, tf.size(groups))
    place = before - tf.reshape(tf.gather(first, groups), tf.shape(before))
    return events * place / tf.maximum(_summed(events, groups), 1.0)
