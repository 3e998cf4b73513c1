"""Files of many kinds -> a checked `Dataset` and its `Split`.

A file in `readers/` with a subclass of `Reader` reads one kind of file; what such a file imports
from here is public.
"""

from autogenome_tf.data._audit import audit
from autogenome_tf.data._checked import checked, numbered_features
from autogenome_tf.data._contigs import Contig, Contigs
from autogenome_tf.data._dataset import Dataset, Table
from autogenome_tf.data._encoding import packed
from autogenome_tf.data._files import TEXTS, check_file, missing_file, stem
from autogenome_tf.data._gmt import GeneSet, read_gene_sets
from autogenome_tf.data._hdf5 import check_hdf5
from autogenome_tf.data._lacking import lacks
from autogenome_tf.data._load import load_labelled
from autogenome_tf.data._memory import is_annotated, table_of
from autogenome_tf.data._read import contigs_of, find_reader, read_table
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._run_data import RunData
from autogenome_tf.data._split import Split, number_of_folds, split
from autogenome_tf.data._store import write_rows
from autogenome_tf.data._targets import read_columns
from autogenome_tf.data._usable import check_genotypes

__all__ = [
    "Contig",
    "Contigs",
    "Dataset",
    "GeneSet",
    "ReadOptions",
    "Reader",
    "RunData",
    "Split",
    "TEXTS",
    "Table",
    "audit",
    "check_file",
    "check_genotypes",
    "check_hdf5",
    "checked",
    "contigs_of",
    "find_reader",
    "is_annotated",
    "lacks",
    "load_labelled",
    "missing_file",
    "number_of_folds",
    "numbered_features",
    "packed",
    "read_columns",
    "read_gene_sets",
    "read_table",
    "split",
    "stem",
    "table_of",
    "write_rows",
]
