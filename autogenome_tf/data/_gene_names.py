"""Names of genes: those of `data.gene_names`, and names that nearly are those of a model."""

import dataclasses
import logging
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence

from autogenome_tf.core import chunked
from autogenome_tf.core.errors import InputError, some
from autogenome_tf.data._checked import has_names
from autogenome_tf.data._dataset import Dataset, Table
from autogenome_tf.data._lacking import MOST, with_lacking
from autogenome_tf.data._names import OF_GENES, RULES, VERSION, nearest_rule
from autogenome_tf.data._spreadsheet import restored

log = logging.getLogger(__name__)

# Of the genes that are not found as they stand, the share that one rule must find.
BY_RULE = 0.9


def renamed(table: Table, names: Mapping[str, str], source: str) -> Table:
    """Give the genes of a table the names of `data.gene_names`.

    Raises:
        InputError: None of the names is a gene.
    """
    own = set(table.features)
    if not names or own.intersection(names) or own.intersection(names.values()):
        return _renamed(table, names)
    form = RULES[VERSION]
    table, plain = _renamed(table, {form(name): used for name, used in names.items()}, form), table
    if table.features == plain.features:
        raise InputError(
            f"{source}: none of the names in data.gene_names is one of its genes, such as "
            f"{some(table.features, 3)}."
        )
    text = f"{source}: its genes have the names of data.gene_names but for {VERSION} (such as "
    text += f"{plain.features[0]!r}): they are taken for the same."
    return dataclasses.replace(table, warnings=(*table.warnings, ("names", text)))


def _renamed(table, names, form: Callable[[str], str] = str):
    """Return a table with other names for those of its genes whose form has one."""
    features = [names.get(form(name), name) for name in table.features]
    count = sum(map(operator.ne, features, table.features))
    said = f"{table.said}, {count} genes renamed by data.gene_names" if count else table.said
    return dataclasses.replace(table, features=features, said=said)


def aligned(
    dataset: Dataset,
    features: Sequence[str],
    may_lack: bool = False,
    beside: Sequence[str] = (),
) -> Dataset:
    """Bring a `Dataset`'s genes into the order of training.

    Names that differ by one rule for nearly all genes that are not found, such as the version of
    Ensembl ids, are taken for the same, with a warning. Further genes are ignored.

    Args:
        dataset: Further rows.
        features: Names of the genes of training.
        may_lack: Whether missing values may stand for genes that lack; see `with_lacking`.
        beside: Names of columns beside the genes, one of which may be a gene that lacks.

    Raises:
        InputError: Genes lack that may not.
    """
    if list(dataset.features) == list(features):
        return dataset
    if not has_names(dataset):
        if len(dataset.features) != len(features):
            raise InputError(
                f"{dataset.source}: {len(dataset.features)} unnamed columns; expected "
                f"{len(features)}, the genes of training in their order."
            )
        # An array has an order alone, a file may lack a header.
        if dataset.source != Dataset.source:
            text = (
                f"{dataset.source}: no names of genes: its {len(features)} columns are taken for "
                "those of training in their order, which cannot be checked. Give it a header."
            )
            dataset = dataset.warned("names", text)
        return dataclasses.replace(dataset, features=list(features))
    dataset = _with_all(dataset, features, may_lack, beside)
    extra = len(dataset.features) - len(features)
    if extra:
        log.info(
            "%s: genes that are not in the training data are ignored: %d", dataset.source, extra
        )
    position = {name: place for place, name in enumerate(dataset.features)}
    values = chunked.columns(dataset.values, [position[name] for name in features], dataset.limit)
    return dataclasses.replace(dataset, values=values, features=list(features))


def _with_all(dataset, features, may_lack, beside):
    """Return a `Dataset` that has the names of all genes of training."""
    known, wanted = set(dataset.features), set(features)
    lacking = [name for name in features if name not in known]
    if not lacking:
        return dataset
    others = [name for name in dataset.features if name not in wanted]
    near = nearest_rule(lacking, others, OF_GENES)
    if near is None or near.hits < BY_RULE * len(lacking) or not near.is_distinct:
        hint = _hint(lacking, [*others, *beside], near, len(features))
        return with_lacking(dataset, features, lacking, may_lack=may_lack, hint=hint)
    pairs = list(zip(lacking, near.take.tolist(), strict=True))
    names = {others[place]: name for name, place in pairs if place >= 0}
    left = [name for name, place in pairs if place < 0]
    theirs, ours = next(iter(names.items()))
    text = (
        f"{dataset.source}: {len(names)} genes match those of training ignoring {near.rule} "
        f"(such as {theirs!r} for {ours!r}): they are taken as the same genes."
    )
    named = [names.get(name, name) for name in dataset.features]
    dataset = dataclasses.replace(dataset, features=named).warned("names", text)
    if not left:
        return dataset
    others = [name for name in (*others, *beside) if name not in names]
    hint = _hint(left, others, None, len(features))
    return with_lacking(dataset, features, left, may_lack=may_lack, hint=hint)


def _hint(lacking, others, near, count):
    """Return how rows may have the genes that they lack by other names, or ""."""
    found = [f"Ignoring {near.rule}, {near.hits} of them match."] if near else []
    found += restored(lacking, others)
    if others and len(lacking) > MOST * count:
        found.append(f"The rows have {some(others, 3)} instead.")
    return " ".join(found)


def genes_alike(names: Sequence[str]) -> Iterator[str]:
    """Yield a text on genes whose names are the same but for case or a version.

    Args:
        names: Names of the genes, each once.
    """
    for rule in ("upper and lower case", VERSION):
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(RULES[rule](name), []).append(name)
        found = [group for group in groups.values() if len(group) > 1]
        if found:
            yield (
                f"Names that differ in {rule} alone, such as {some(found[0], 2)} "
                f"({len(found)} in all), are learned as different genes. If they are the same, "
                'give them one name by data.gene_names and set data.duplicates "mean".'
            )
