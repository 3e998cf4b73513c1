"""Warnings about data and scores, kept in warnings.json for the report.

Such a warning is a log record that carries its subject::

    log.warning("%s", text, extra={"about": "scale"})
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator

from autogenome_tf.run._console import remembered
from autogenome_tf.run._run import Run

WARNINGS = "warnings.json"


@contextlib.contextmanager
def warned(run: Run, stage: str, earlier: Iterable[logging.LogRecord] = ()) -> Iterator[None]:
    """Keep the warnings of a stage in warnings.json, in place of those of its last time.

    Args:
        run: The run.
        stage: Name of the stage that runs in the block.
        earlier: Records from before there was a folder.
    """
    records = [record for record in earlier if is_kept(record)]
    try:
        with remembered(records, is_kept):
            yield
    finally:
        known = run.read_json(WARNINGS) if run.has(WARNINGS) else None
        others = [one for one in known or [] if one.get("stage", "train") != stage]
        texts = {one["text"] for one in others}
        found = {record.getMessage(): record for record in records}
        own = [
            {"about": getattr(record, "about", ""), "text": text, "stage": stage}
            for text, record in found.items()
            if text not in texts
        ]
        if others + own != known:
            run.write_json(WARNINGS, others + own)


def is_kept(record: logging.LogRecord) -> bool:
    """Return whether a log record is a warning for warnings.json."""
    return record.levelno >= logging.WARNING and hasattr(record, "about")
