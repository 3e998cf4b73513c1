"""Names that come more than once: refused, made distinct, or averaged (`data.duplicates`)."""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.chunked import Matrix
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._spreadsheet import dates

ERROR, SUFFIX, MEAN = "error", "suffix", "mean"


def repeated(names: Sequence[str]) -> list[str]:
    """Return the names that come more than once, in order.

    >>> repeated(["a", "b", "a"])
    ['a']
    """
    if len(set(names)) == len(names):
        return []
    return [name for name, count in collections.Counter(names).items() if count > 1]


def distinct(
    table: Table,
    how: str,
    source: str,
    *,
    asked: Sequence[str] = (),
    limit: int = chunked.LIMIT,
    is_new: bool = False,
) -> Table:
    """Leave every sample id and every gene name of a table only once.

    Args:
        table: The table.
        how: `ERROR`, `SUFFIX` (the second TP53 becomes TP53-1) or `MEAN` (rows or columns of one
            name become one).
        source: The file, for messages.
        asked: Columns of `Table.extra` that must agree in rows that become one.
        limit: Bytes that the matrix may take in memory.
        is_new: Whether the rows are for a fitted model, whose config cannot be changed.

    Raises:
        InputError: Where names repeat and that is an error, or rows to be averaged contradict each
            other.
    """
    for what, names, change in (
        ("sample id", table.samples or [], _distinct_samples),
        ("gene name", table.features, _distinct_genes),
    ):
        twice = repeated(names)
        if not twice:
            continue
        if how == ERROR:
            raise InputError(
                f"{source}: duplicate {what}: {some(twice)}; {_ways(what, twice, is_new)}"
            )
        if how == MEAN and names is table.samples:
            _check_agreement(table, asked, source)
        table = change(table, how, limit)
        done = (
            "-1, -2 ... is appended to all but the first" if how == SUFFIX else "they are averaged"
        )
        text = f"{source}: {len(twice)} of the {what}s are repeated ({some(twice)}): {done}."
        table = dataclasses.replace(table, warnings=(*table.warnings, ("names", text)))
    return table


def suffixed(names: Sequence[str]) -> list[str]:
    """Put -1, -2 ... behind names that came before, as AnnData does.

    >>> suffixed(["a", "a", "a-1", "a"])
    ['a', 'a-2', 'a-1', 'a-3']
    """
    taken, seen, found = set(names), set(), []
    counts = collections.Counter()
    for name in names:
        own = name
        while own in seen or (own != name and own in taken):
            counts[name] += 1
            own = f"{name}-{counts[name]}"
        seen.add(own)
        found.append(own)
    return found


def _ways(what, twice, is_new):
    changed = dates(twice) if what == "gene name" else []
    hint = ""
    if changed:
        hint = (
            f" A spreadsheet has changed a gene name such as MARCH1 to {some(changed, 2)}: restore "
            "it."
        )
    if is_new:
        place = "column" if what == "gene name" else "row"
        return (
            f"expected each only once, since the model was trained without data.duplicates. Leave "
            f"one {place} of each, or average them.{hint}"
        )
    return (
        f'expected each only once; data.duplicates "{SUFFIX}" makes them distinct, "{MEAN}" '
        f"averages them.{hint}"
    )


def _distinct_genes(table, how, limit):
    if how == SUFFIX:
        return dataclasses.replace(table, features=suffixed(table.features))
    names, groups = _groups(table.features)
    blocks = (_averaged(block, groups) for _, block in chunked.blocks(table.values))
    values = chunked.built(blocks, limit, table.values.size)
    return dataclasses.replace(table, values=values, features=names)


def _distinct_samples(table, how, limit):
    if how == SUFFIX:
        samples = suffixed(table.samples)
        extra = None if table.extra is None else table.extra.set_axis(samples)
        return dataclasses.replace(table, samples=samples, extra=extra)
    names, groups = _groups(table.samples)
    parts = (table.values[rows[0] : rows[0] + 1] if len(rows) == 1 else _mean(table.values[rows])
             for rows in groups)  # fmt: skip
    extra = None if table.extra is None else table.extra.iloc[[rows[0] for rows in groups]]
    values = chunked.built(parts, limit, table.values.size)
    return dataclasses.replace(table, values=values, samples=names, extra=extra)


def _check_agreement(table, asked, source):
    """Refuse rows of one sample that have different labels."""
    for name in asked:
        if table.extra is None or name not in table.extra.columns:
            continue
        levels = table.extra[name].astype(str).groupby(table.samples).nunique()
        if (levels > 1).any():
            raise InputError(
                f"{source}: sample {levels.idxmax()!r} has several values of {name!r}; "
                f'data.duplicates "{MEAN}" expects rows of one sample to agree.'
            )


def _groups(names):
    """Return each name once, and the places where it stands."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return list(places), list(places.values())


def _averaged(block: Matrix, groups) -> Matrix:
    """Average the columns of each group."""
    if scipy.sparse.issparse(block):
        rows = np.concatenate(groups)
        columns = np.repeat(np.arange(len(groups)), [len(places) for places in groups])
        shares = np.concatenate([np.full(len(places), 1 / len(places)) for places in groups])
        shape = (block.shape[1], len(groups))
        weights = scipy.sparse.csr_matrix((shares.astype("float32"), (rows, columns)), shape)
        return scipy.sparse.csr_matrix(block @ weights)
    found = block[:, [places[0] for places in groups]].copy()
    for place, places in enumerate(groups):
        if len(places) > 1:
            found[:, place] = _mean(block[:, places].T)[0]
    return found


def _mean(rows: Matrix) -> Matrix:
    """Average rows as one row; a missing cell of an array does not count."""
    if scipy.sparse.issparse(rows):
        return scipy.sparse.csr_matrix(rows.mean(axis=0).astype("float32"))
    known = ~np.isnan(rows)
    with np.errstate(invalid="ignore"):
        mean = np.where(known, rows, 0).sum(axis=0, dtype="float64") / known.sum(axis=0)
    return mean[None].astype("float32")
