"""Rows whose values are of another order of magnitude than those of most rows."""

from collections.abc import Iterator, Sequence

import numpy as np

# Values of a row are as large as these quantiles of their sizes (one alone follows a few cells of
# -999); times those of a median row from which on they are of another scale.
_QUANTILES, _FACTOR = (0.5, 0.9), 10.0
# Share of whole numbers among values other than 0 from which on they are counts, or estimates of
# such: samples are sequenced at different depths.
_COUNTS = 0.5
# Genes below which the values of a row may all be small, or large, by chance.
_FEWEST_GENES = 5


def rows_of_another_scale(values: np.ndarray, samples: Sequence[str] | np.ndarray) -> Iterator[str]:
    """Yield a text on rows that are of another scale, such as logarithms beside linear values.

    Nothing is said of counts, which differ so by the depth of sequencing.

    Args:
        values: (rows, genes), as `some_values` returns them.
        samples: Ids of all rows.
    """
    if values.shape[1] < _FEWEST_GENES:
        return
    known = ~np.isnan(values).all(axis=1)
    rows = values[known]
    filled = rows[(rows != 0) & ~np.isnan(rows)]
    if not len(filled) or np.mean(filled == np.rint(filled)) > _COUNTS:
        return
    quantiles = np.nanquantile(np.abs(rows), _QUANTILES, axis=1)
    middles = np.median(quantiles, axis=1, keepdims=True)
    is_larger, is_smaller = quantiles > _FACTOR * middles, _FACTOR * quantiles < middles
    # Most values of sparse rows are 0, and those of empty ones all.
    is_larger, is_smaller = is_larger | (middles == 0), is_smaller & (quantiles > 0)
    is_other = (is_larger.all(axis=0) & (middles[-1] > 0)) | is_smaller.all(axis=0)
    if not is_other.any():
        return
    sizes, middle = np.sort(quantiles[-1, is_other]), float(middles[-1, 0])
    named = ""
    if len(values) == len(samples):
        named = f", such as {str(samples[int(np.flatnonzero(known)[is_other][0])])!r}"
    yield (
        f"{is_other.sum()} of {len(rows)} rows are of another scale than most{named}: nine in ten "
        f"of their values are below {sizes[0]:.3g} to {sizes[-1]:.3g}, those of a median row below "
        f"{middle:.3g}. Where logarithms stand beside linear values, bring all rows to one scale."
    )
