"""Tables of featureCounts: genes in rows, six columns about them, a column a file of reads."""

import dataclasses
import os
import re

from autogenome_tf.data._checked import checked
from autogenome_tf.data._dataset import Table
from autogenome_tf.data._files import TEXTS, beginning, check_file
from autogenome_tf.data._layout import find_layout
from autogenome_tf.data._orientation import GENES
from autogenome_tf.data._reader import Reader, ReadOptions
from autogenome_tf.data._text_table import text_table

_HEADER = re.compile(r'(#.*\n)?"?Geneid"?\t"?Chr"?\t"?Start"?\t"?End"?\t"?Strand"?\t"?Length"?\t')
_READS = re.compile(r"(\.(sorted|sort|dedup|markdup|filtered|aligned|bam|sam|cram))+$", re.I)


class FeatureCounts(Reader):
    """Read counts of featureCounts; samples are named by their files, without folder and kind."""

    kinds = "a table of featureCounts"
    by_content = True

    def matches(self, source: str) -> bool:
        """Return whether a text file has the header of featureCounts."""
        return source.lower().endswith(TEXTS) and bool(_HEADER.match(beginning(source)))

    def read(self, source: str, options: ReadOptions) -> Table:
        """Read as `Reader.read` says."""
        check_file(source)
        asked = dataclasses.replace(options, orientation=GENES, delimiter="\t")
        table, _ = text_table(source, find_layout(source, asked), options)
        table = dataclasses.replace(table, samples=_short(table.samples or []))
        return checked(source, table, "featureCounts", columns=options.columns, limit=options.limit)


def _short(names):
    """Return names of files without what all of them share: folders, and what reads are called.

    >>> _short(["map/a.sorted.bam", "map/b.sorted.bam"]), _short(["a/Aligned.bam", "b/Aligned.bam"])
    (['a', 'b'], ['a', 'b'])
    """
    parts = [os.path.normpath(name).split(os.sep) for name in names]
    for shorter in (lambda steps: steps[-1], lambda steps: steps[-2] if len(steps) > 1 else ""):
        found = [_READS.sub("", shorter(steps)) for steps in parts]
        if all(found) and len(set(found)) == len(found):
            return found
    return names
