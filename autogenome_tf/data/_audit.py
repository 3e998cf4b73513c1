"""Warnings about rows that make scores doubtful, before anything is trained."""

import collections
import dataclasses
import hashlib

import numpy as np
import scipy

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import some
from autogenome_tf.data._codes import codes
from autogenome_tf.data._dataset import Dataset
from autogenome_tf.data._empty import nearly_empty, of_one_value
from autogenome_tf.data._gene_names import genes_alike
from autogenome_tf.data._groups import (
    alike,
    classes_in_one_fold,
    classes_in_one_group,
    groups_alike,
    groups_of_further_rows,
    groups_of_one,
    patients,
)
from autogenome_tf.data._misspelt import missing_like, misspelt
from autogenome_tf.data._no_genes import gives_away, no_genes, some_values, total_row
from autogenome_tf.data._origins import is_of_persons, places
from autogenome_tf.data._row_scales import rows_of_another_scale
from autogenome_tf.data._split import Split
from autogenome_tf.data._spreadsheet import changed_names
from autogenome_tf.tasks import UNLABELLED, kind_of

# Rows of the largest class for one of the smallest, and the largest's part of all.
UNEQUAL, DOMINANT = 10, 0.8
# Rows of a class to learn from; test rows in all.
FEWEST_OF_A_CLASS, FEWEST_TESTED = 10, 30
# Times the median of training, from which on targets to evaluate may be in another unit.
OTHER_UNIT = 10.0
# Of an association between 0 and 1.
STRONG = 0.5


def audit(
    dataset: Dataset,
    parts: Split,
    task_type: str,
    group: str | None = None,
    scored: Dataset | None = None,
    *,
    has_depths: bool = False,
) -> list[dict[str, str]]:
    """Return warnings about rows that make scores better, or less certain, than they seem.

    Args:
        dataset: The `data.Dataset` of all rows.
        parts: Their `data.Split`. Without a test part, those of the first fold (or of the
            validation part) stand for it: what they share with others, others share too.
        task_type: The config's `task.type`.
        group: Name of the column whose rows stay on one side of the split, or None.
        scored: The `data.Dataset` of `data.evaluate`, or None.
        has_depths: Whether rows are contigs with `data.abundance`: no column is a gene then.

    Returns:
        A list of dicts, `about` (labels, matching, names, ids, weights, commas, columns, values,
        classes, targets, test, duplicates, group, batch) and `text`.
    """
    is_test, has_test = parts.part == "test", bool((parts.part == "test").any())
    if not has_test:
        is_test = (parts.part == "validation") | (parts.fold == 1)
    kind = kind_of(task_type)
    found = [*dataset.warnings, *(() if scored is None else scored.warnings)]
    found += _of_values(dataset, has_depths)
    found += _about("duplicates", _duplicates(dataset, is_test, parts.fold))
    if scored is not None:
        found += _about("duplicates", _repeated(dataset, scored))
    if not kind.has_targets and dataset.targets is not None:
        counts = collections.Counter(dataset.targets[dataset.targets != UNLABELLED]).most_common()
        found += _about("classes", _names_of_classes(counts))
    if kind.has_targets:
        found += _of_groups(dataset, kind, is_test, parts, scored)
        doubts = kind.doubts(dataset.known_targets, is_test & has_test, dataset.target_names)
        found += _about("targets", doubts)
        each = list(_of_each_kind(dataset, kind))
        for one, rows in each:
            found += _of_targets(one, rows, is_test, has_test, kind)
        tested = {"The test part": int(is_test.sum()) if has_test else 0}
        tested["data.evaluate"] = 0 if scored is None else len(scored)
        found += _about("test", _few_tested(tested, kind))
        if not kind.has_classes:
            found += _about("targets", _few_learned(int((parts.part != "test").sum())))
        if scored is not None:
            found += _about("values", _of_scored(dataset, scored, kind))
        found += _of_origins(dataset, each, kind, is_test, group)
    # Rows to evaluate may stand in the files of those to learn from.
    return [{"about": about, "text": text} for about, text in dict.fromkeys(found)]


def _about(subject, texts):
    """Return warnings of one subject."""
    return [(subject, text) for text in texts]


def _of_values(dataset, has_depths):
    """Return warnings about values, and about names of genes and samples."""
    values = some_values(dataset)
    return [
        *_about("columns", () if has_depths else no_genes(values, dataset.features)),
        *_about("columns", total_row(values, dataset.samples)),
        *_about("names", changed_names(dataset.features)),
        *_about("names", genes_alike(dataset.features[: values.shape[1]])),
        *_about("values", codes(values)),
        *_about("values", rows_of_another_scale(values, dataset.samples)),
        *_about("values", nearly_empty(dataset)),
        *_about("values", of_one_value(dataset)),
    ]


def _of_groups(dataset, kind, is_test, parts, scored):
    """Return warnings about rows of one patient, group or fold."""
    found = _about("group", patients(dataset, is_test))
    if kind.has_classes:
        found += _about("classes", classes_in_one_fold(parts.fold, dataset.known_targets))
    if dataset.groups is not None:
        found += _about("group", groups_alike(dataset.groups))
        found += _about("group", groups_of_one(dataset.groups))
        evaluated = None if scored is None else scored.groups
        found += _about("group", groups_of_further_rows(dataset.groups, parts.part, evaluated))
        if kind.has_classes:
            doubts = classes_in_one_group(dataset.groups, dataset.known_targets)
            found += _about("group", doubts)
    return found


def _few_tested(counts, kind):
    """Yield warnings about parts with few rows, from the number of rows by the name of a part."""
    for name, count in counts.items():
        if 0 < count < FEWEST_TESTED:
            each_row = f"each is {100 / count:.0f} percentage points of accuracy"
            few = each_row if kind.has_classes else "the scores of so few are uncertain"
            yield f"{name} has {count} rows: {few}."


def _few_learned(count):
    """Yield a warning about few rows to learn from; of classes each is counted."""
    if count < FEWEST_OF_A_CLASS:
        yield f"Only {count} rows to learn from: another sample of so few may give another model."


def _of_origins(dataset, each, kind, is_test, group):
    """Yield warnings about the columns of origins; `each` are rows with each of their targets."""
    for name, levels in _distinct_origins(dataset, group):
        if is_of_persons(dataset, name):
            yield from _on_both_sides(name, levels, is_test)
        # Targets that stand in the rows of owners go with them; levels of few rows, with any.
        if name in dataset.owners or 2 * len(set(levels)) > len(levels):
            continue
        for one, rows in each:
            yield from _origin(name, levels[rows], one.known_targets[rows], _called(one, kind))


def _distinct_origins(dataset, group):
    """Yield name and levels of the columns of origins, one of those that part the rows alike."""
    if dataset.origins is None:
        return
    names = dataset.origins.columns.drop(group or [], errors="ignore")
    known = set() if dataset.groups is None else {places(dataset.groups)}
    # The column by which samples found their rows stands for the ids of these rows too.
    for name in sorted(names, key=lambda name: name not in dataset.owners):
        levels = dataset.origins[name].to_numpy()
        if (own := places(levels)) not in known:
            known.add(own)
            yield name, levels


def _of_targets(dataset, rows, is_test, has_test, kind):
    """Yield warnings about targets of one kind in the rows that have them."""
    targets, names = dataset.known_targets, dataset.target_names
    learned = rows[~is_test[rows]]
    yield from _about("columns", gives_away(dataset, learned, _called(dataset, kind)))
    if targets.dtype == object:
        place = f"{names[0]}: " if kind.is_of_several else ""
        known = targets[rows].astype(str), is_test[rows], has_test
        yield from _about("classes", (place + text for text in _classes(*known, kind.has_classes)))
        return
    for name, column in zip(names, targets.T, strict=True):
        yield from _about("values", (f"{name}: {text}" for text in codes(column, fewest=1)))


def _of_scored(dataset, scored, kind):
    """Yield warnings about targets of data.evaluate: codes, and numbers of another unit."""
    for (own, _), (other, _) in zip(
        _of_each_kind(dataset, kind), _of_each_kind(scored, kind), strict=True
    ):
        if own.known_targets.dtype == object:
            continue
        columns = zip(own.known_targets.T, other.known_targets.T, strict=True)
        for name, (known, new) in zip(own.target_names, columns, strict=True):
            yield from (f"data.evaluate: {name}: {text}" for text in codes(new, fewest=1))
            sizes = [float(np.median(np.abs(one[~np.isnan(one)]))) for one in (known, new)
                     if not np.isnan(one).all()]  # fmt: skip
            if len(sizes) == 2 and 0 < OTHER_UNIT * min(sizes) <= max(sizes):
                yield (
                    f"data.evaluate: {name}: its values are of another size (a median of "
                    f"{sizes[1]:.4g}) than those of training ({sizes[0]:.4g}). Check that both "
                    "are in one unit."
                )


def _of_each_kind(dataset, kind):
    """Yield rows with their targets and the numbers of those that have any.

    Where targets are of several kinds, yield the rows with each of them in turn.
    """
    if not kind.is_of_several:
        yield dataset, np.arange(len(dataset))
        return
    for one in kind.targets_of(dataset.known_targets, dataset.target_names):
        own = dataclasses.replace(dataset, targets=one.values, target_names=list(one.names))
        yield own, np.flatnonzero(one.is_known)


def association(first, second):
    """Compute Cramér's V of two columns of names, corrected for its bias (Bergsma 2013).

    Returns:
        0 where they are independent, 1 where one determines the other.

    >>> association(["a", "b"] * 50, ["x", "y"] * 50)
    1.0
    """
    # Here: `check` imports this room and does not wait for it.
    from scipy.stats import contingency

    counts = contingency.crosstab(first, second).count
    rows, columns = counts.shape
    total = counts.sum()
    if min(rows, columns) < 2:
        return 0.0
    square = contingency.chi2_contingency(counts, correction=False).statistic / total
    square = max(0.0, square - (rows - 1) * (columns - 1) / (total - 1))
    sides = [side - (side - 1) ** 2 / (total - 1) for side in (rows, columns)]
    least = min(sides) - 1
    return float(min(1.0, (square / least) ** 0.5)) if least > 0 else 0.0


def explained(names, values):
    """Compute the share of variance of (rows,) that names explain, corrected for their number."""
    known = ~np.isnan(values)
    names, values = names[known], values[known]
    _, places = np.unique(names, return_inverse=True)
    counts = np.bincount(places)
    means = np.bincount(places, values) / counts
    within = ((values - means[places]) ** 2).sum() / max(1, len(values) - len(counts))
    return float(max(0.0, 1 - within / values.var(ddof=1))) if np.ptp(values) else 0.0


def _classes(labels, is_test, has_test, may_weigh):
    counts = collections.Counter(labels).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    most, least = str(most), str(least)
    if many >= UNEQUAL * few or many >= DOMINANT * len(labels):
        way = ', and task.class_weight "balanced" trains that way' if may_weigh else ""
        yield (
            f"Classes are unequal: {most!r} has {many} rows, {least!r} {few}. Accuracy mostly "
            "reflects the large classes; balanced_accuracy and f1_macro weigh all classes "
            f"equally{way}."
        )
    learned = collections.Counter(labels[~is_test] if has_test else labels)
    rare = [f"{name} ({learned[name]})" for name, _ in counts if learned[name] < FEWEST_OF_A_CLASS]
    if rare:
        yield f"Fewer than {FEWEST_OF_A_CLASS} training rows in a class: {some(rare)}."
    yield from _names_of_classes(counts)
    unseen = [name for name, _ in counts if name not in set(labels[is_test])]
    if has_test and unseen:
        yield (
            f"The test part has no row of {some(unseen)}, so it says nothing of how well such rows "
            "are predicted."
        )


def _names_of_classes(counts):
    """Yield warnings about names of classes that may be others, or no names, with their rows."""
    for names in alike(name for name, _ in counts):
        yield (
            "Classes differ only by case, blanks, dashes, quotes or the way a letter, a number or "
            f"a short word is written: {some(names)}. Check that they are different classes."
        )
    for name, count in missing_like(counts):
        yield (
            f"Class {name!r} ({count} rows) may stand for a missing label; it is read as one "
            f'with data.missing_words ["{name}"].'
        )
    for (name, few), (other, many) in misspelt(counts):
        yield (
            f"Class {name!r} ({few} rows) resembles {other!r} ({many} rows): check that it is not "
            "misspelt."
        )


def _duplicates(dataset, is_test, folds):
    """Yield warnings about rows equal in every gene: across parts or folds, or under two labels."""
    digests = np.fromiter(_digests(dataset.values), np.uint64, len(dataset))
    order = np.argsort(digests, kind="stable")
    starts = np.flatnonzero(np.diff(digests[order])) + 1
    twins = [rows for rows in np.split(order, starts) if len(rows) > 1]
    twins.sort(key=lambda rows: rows[0])
    leaked = [numbers for numbers in twins if 0 < is_test[numbers].sum() < len(numbers)]
    if leaked:
        numbers = np.concatenate([one[is_test[one]] for one in leaked])
        first = leaked[0]
        one, other = (
            str(dataset.samples[first[is_test[first] == side]][0]) for side in (True, False)
        )
        yield (
            f"{len(numbers)} of {is_test.sum()} held-out rows equal a training row in every "
            f"gene, such as {one!r} and {other!r}: scores are too optimistic. Remove one row of "
            "each pair, or keep both in one part with data.split.group."
        )
    learned = [numbers[~is_test[numbers]] for numbers in twins]
    apart = [numbers for numbers in learned if len(set(folds[numbers])) > 1]
    if apart:
        one, other = map(str, dataset.samples[apart[0][:2]])
        yield (
            f"{sum(map(len, apart))} training rows equal a training row of another fold in every "
            f"gene, such as {one!r} and {other!r}: validation scores are too optimistic. Remove "
            "one row of each pair, or keep both in one fold with data.split.group."
        )
    targets = dataset.targets
    if targets is not None and targets.dtype == object and targets.ndim == 1:
        mixed = [one for one in twins if len(set(dataset.targets[one])) > 1]
        if mixed:
            one, other = map(str, dataset.samples[mixed[0][:2]])
            yield (
                f"{sum(map(len, mixed))} rows equal a row of another label in every gene, such "
                f"as {one!r} and {other!r}: no model can separate them."
            )


def _repeated(dataset, scored):
    """Yield warnings about rows of a further file that are in the main one."""
    known = np.fromiter(_digests(dataset.values), np.uint64, len(dataset))
    again = np.isin(np.fromiter(_digests(scored.values), np.uint64, len(scored)), known)
    if again.any():
        first = str(scored.samples[again.argmax()])
        yield (
            f"{again.sum()} of {len(scored)} rows of data.evaluate equal a row of data.features "
            f"in every gene, such as {first!r}: their scores are too optimistic."
        )


def _digests(values):
    """Return a digest of each row of an array or CSR, 64 bits."""
    for _, block in chunked.blocks(values):
        if scipy.sparse.issparse(block):
            block = block.copy()
            block.sum_duplicates()
            block.eliminate_zeros()
            ends = zip(block.indptr[:-1], block.indptr[1:], strict=True)
            rows = (block.indices[i:j].tobytes() + block.data[i:j].tobytes() for i, j in ends)
        else:
            # Minus zero is zero.
            rows = (row.tobytes() for row in block + 0.0)
        for row in rows:
            yield int.from_bytes(hashlib.blake2b(row, digest_size=8).digest(), "little")


def _called(dataset, kind):
    """Return the name of the targets in warnings: of several, that of the one."""
    return repr(dataset.target_names[0]) if kind.is_of_several else "the target"


def _on_both_sides(name, levels, is_test):
    """Yield a warning about persons and the like in both training and test parts."""
    shared = set(levels[is_test]) & set(levels[~is_test]) - {""}
    if shared:
        text = (
            f"Rows of the same {name} are in both training and test parts ({len(shared)} of them, "
            f"such as {min(shared)!r}): scores are too optimistic for a new {name}. Set "
            f'data.split.group to "{name}".'
        )
        yield "group", text


def _origin(name, levels, targets, target):
    """Yield a warning about a column of origins (donor, batch) that goes with the targets."""
    if targets.ndim == 1:
        labels = targets.astype(str)
        strength, measure = association(levels, labels), "Cramér's V"
    else:
        each = [explained(levels, column) for column in targets.T]
        strength, measure = max(each), "part of the variance"
    if strength >= STRONG:
        text = (
            f"{name} is strongly associated with {target} ({measure} {strength:.2f}): the "
            "model may have learned the origin of a row (a batch effect) instead of the "
            "question. To check, hold out whole groups with data.split.group."
        )
        yield "batch", text
