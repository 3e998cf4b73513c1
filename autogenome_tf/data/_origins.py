"""Columns that say whom or what run of a machine a row comes from, by their names."""

import re

import pandas as pd

# Samples of one of these are alike: they must not be learned from and tested on.
PERSONS = frozenset("donor patient subject individual animal mouse person".split())
# What a network may learn in place of the question.
BATCHES = frozenset(
    "batch plate study site center centre run lane dataset cohort platform technology tech library "
    "chip slide day date experiment instrument sequencer hospital lab array institution protocol "
    "replicate source".split()
)


def kind_of_origin(name):
    """Return "person", "batch" or None by the words in a column's name.

    >>> kind_of_origin("seqBatch_2"), kind_of_origin("Patient ID"), kind_of_origin("cell_type")
    ('batch', 'person', None)
    """
    found = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", str(name))
    words = {word.lower() for word in found} | {word.lower().rstrip("s") for word in found}
    return "person" if words & PERSONS else "batch" if words & BATCHES else None


def is_of_persons(dataset, name):
    """Return whether a column of the origins of rows names persons, or who shares a row."""
    return name in dataset.owners or kind_of_origin(name) == "person"


def places(levels):
    """Return the number of each row's level, in the order in which levels first come, as bytes.

    Columns that part the rows alike have the same.
    """
    return pd.factorize(levels)[0].tobytes()


def origins(columns, apart=(), owners=()):
    """Return the columns of a frame that state the origin of rows, as text, "" where missing.

    Args:
        columns: Frame, a row a sample.
        apart: Names of columns that are something else (the targets).
        owners: Names of columns of persons and the like, whatever they are called.

    A column with a value of its own in nearly every row is left out; of persons, in every row.
    None: no column is left.
    """
    found = {}
    for name in columns:
        if name in apart:
            continue
        kind = "person" if name in owners else kind_of_origin(name)
        most = len(columns) - 1 if kind == "person" else len(columns) / 2
        if kind and 2 <= columns[name].nunique() <= most:
            known = columns[name].notna()
            found[str(name)] = columns[name].astype(str).where(known, "").to_numpy(dtype=object)
    return pd.DataFrame(found) if found else None
