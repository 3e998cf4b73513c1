"""What every reader promises, and that a file dropped into `data/readers/` is one."""

import importlib
import inspect
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from autogenome_tf import cli
from autogenome_tf.automl import AutoGenome
from autogenome_tf.core.errors import InputError
from autogenome_tf.data import Reader, ReadOptions, find_reader, read_table, readers
from autogenome_tf.data._read import readers as all_readers

MEMBERS = all_readers()
DROPPED = '''
"""Matrices as lines of `sample: value value ...`."""

import numpy as np

from autogenome_tf.data import Reader, Table, checked


class Lines(Reader):
    """Read lines of numbers."""

    kinds = ".lines"
    suffixes = (".lines",)

    def read(self, source, options):
        """Read as `Reader.read` says."""
        with open(source) as file:
            pairs = [line.split(":") for line in file]
        values = np.array([cells.split() for _, cells in pairs], "float32")
        names = [f"gene{number}" for number in range(values.shape[1])]
        table = Table(values, [name for name, _ in pairs], names)
        return checked(source, table, "lines", columns=options.columns, limit=options.limit)
'''


@pytest.fixture
def dropped():
    """A reader's file in the folder of readers; it is gone afterwards, however the test ends."""
    path = Path(readers.__path__[0]) / f"lines_of_{Path(__file__).stem}.py"
    path.write_text(DROPPED)
    importlib.invalidate_caches()
    try:
        yield path
    finally:
        path.unlink()
        sys.modules.pop(f"{readers.__name__}.{path.stem}", None)


@pytest.fixture
def config(tmp_path):
    """A config of 40 rows in a file of the dropped kind, with the class in gene0."""
    values = np.random.default_rng(0).normal(size=(40, 5))
    rows = [f"s{n}: {' '.join(map(str, row))}\n" for n, row in enumerate(values)]
    (tmp_path / "x.lines").write_text("".join(rows))
    labels = [f"s{n}\t{'high' if row[0] > 0 else 'low'}\n" for n, row in enumerate(values)]
    (tmp_path / "y.tsv").write_text("sample\tclass\n" + "".join(labels))
    asked = {
        "name": "dropped", "output_dir": str(tmp_path / "runs"),
        "data": {"features": str(tmp_path / "x.lines"), "targets": str(tmp_path / "y.tsv")},
        "families": {"linear": {}}, "search": {"max_trials": 1, "epochs": 1},
        "training": {"epochs": 2},
    }  # fmt: skip
    path = tmp_path / "config.json"
    path.write_text(json.dumps(asked))
    return path


def test_a_file_dropped_in_is_a_reader_for_check_training_and_prediction(dropped, config):
    assert cli.main(["check", str(config)]) == 0
    automl = AutoGenome(str(config))
    automl.train()
    predicted = automl.predict(config.parent / "x.lines")
    assert list(predicted["sample"]) == [f"s{n}" for n in range(40)]


def test_without_the_file_the_kind_is_unknown_to_check(config, capsys):
    assert cli.main(["check", str(config)]) == 2
    assert "x.lines: unknown kind of file; expected one of: " in capsys.readouterr().err


def test_a_dropped_reader_is_named_among_the_kinds(dropped, tmp_path):
    (tmp_path / "x.unknown").write_text("x")
    with pytest.raises(InputError, match=r"; \.lines;"):
        find_reader(str(tmp_path / "x.unknown"))


@pytest.mark.parametrize("reader", MEMBERS, ids=lambda reader: type(reader).__name__)
def test_a_reader_says_what_it_reads(reader):
    assert isinstance(reader, Reader) and reader.kinds and inspect.getdoc(type(reader))
    assert set(reader.takes) <= set(ReadOptions.__dataclass_fields__)


def test_the_guide_lists_every_kind():
    guide = (Path(__file__).parents[2] / "tutorials" / "data.md").read_text("utf-8")
    assert [reader.kinds for reader in MEMBERS if f"| {reader.kinds} |" not in guide] == []


@pytest.mark.parametrize("reader", MEMBERS, ids=lambda reader: type(reader).__name__)
def test_a_missing_file_is_one_clear_error(reader, tmp_path):
    for suffix in reader.suffixes:
        with pytest.raises(InputError, match="no such file"):
            read_table(str(tmp_path / f"x{suffix}"))


@pytest.mark.parametrize("source", ["", "x", "no/such.folder/x.unknown", "scanpy:"])
def test_every_reader_answers_for_every_source(source):
    assert all(reader.matches(source) in (True, False) for reader in MEMBERS)
