"""Files that list what a matrix is made of: mutations, variants, values of one gene a row."""

import re

from autogenome_tf.core.errors import InputError
from autogenome_tf.data._cells import is_id_name
from autogenome_tf.data._files import open_bytes
from autogenome_tf.data._layout import Layout
from autogenome_tf.data._orientation import is_annotation, is_gene_heading

_MAF = {"Hugo_Symbol", "Tumor_Sample_Barcode"}
_FIRST_OF_VCF = b"##fileformat=VCF"
_NAMED = re.compile(r"\.(maf|vcf)(\.(gz|bz2|zst))?$", re.IGNORECASE)
# As pandas and R call the column of names where they make such a table.
_MELTED = "variable"
# Columns of a table with a value in a row, at most.
_MOST_COLUMNS = 8
_WAYS = {
    "maf": (
        "a list of mutations (MAF), one in a row; expected a matrix of samples x genes. In pandas: "
        "pd.crosstab(maf.Tumor_Sample_Barcode, maf.Hugo_Symbol).clip(upper=1), after the choice of "
        "Variant_Classification, and with rows of 0 for samples without a mutation."
    ),
    "vcf": (
        "a VCF file; expected a matrix of samples x variants, with the number of alternative "
        "alleles. PLINK writes one by plink2 --vcf FILE --export A; name it .txt, and its columns "
        "FID, PAT, MAT, SEX and PHENOTYPE in data.exclude."
    ),
}


def check_name(source: str) -> None:
    """Refuse a file whose name says that it is a list.

    Args:
        source: Path of the file.

    Raises:
        InputError: With a way to make a matrix of it.
    """
    found = _NAMED.search(source)
    if found:
        raise InputError(f"{source}: {_WAYS[found[1].lower()]}")


def check_table(source: str, layout: Layout) -> None:
    """Refuse a text table that is a list; called where it cannot be read, or names repeat.

    Args:
        source: Path of the table.
        layout: Its layout.

    Raises:
        InputError: With a way to make a matrix of it.
    """
    names = layout.names
    if set(names) >= _MAF:
        raise InputError(f"{source}: {_WAYS['maf']}")
    with open_bytes(source) as stream:
        if stream.read(len(_FIRST_OF_VCF)) == _FIRST_OF_VCF:
            raise InputError(f"{source}: {_WAYS['vcf']}")
    genes = [name for name in names if is_gene_heading(name) or name == _MELTED]
    samples = [name for name in names if name and is_id_name(name) and not is_annotation(name)]
    if len(names) > _MOST_COLUMNS or not genes or not samples:
        return
    others = [name for name in names if name not in (genes[0], samples[0])]
    value = others[-1] if others else "value"
    raise InputError(
        f"{source}: columns of samples ({samples[0]!r}) and of genes ({genes[0]!r}), so a value "
        "in a row; expected a matrix of samples x genes. In pandas: "
        f"frame.pivot(index={samples[0]!r}, columns={genes[0]!r}, values={value!r})."
    )
