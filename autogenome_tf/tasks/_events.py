"""Times and events of survival data, as clinical tables write them."""

import logging
import re

import numpy as np
import pandas as pd

from autogenome_tf.tasks._labels import as_text, natural

log = logging.getLogger(__name__)

# A code before a word, such as "1:DECEASED" of cBioPortal.
_CODED = re.compile(r"([01])\s*:(.*)", re.DOTALL)
# Words of a column of events, without case, blanks and punctuation.
_EVENTS = frozenset(
    "1 true yes y t event dead died death deceased demised relapse relapsed recurrence recurred "
    "progression progressed progressive failure failed uncensored observed recurredprogressed "
    "metastasis".split()
)
_CENSORED = frozenset(
    "0 false no n f noevent alive living lives censored censoring norelapse norecurrence "
    "diseasefree progressionfree norelapsed notrecurred noprogression nometastasis lost "
    "losttofollowup noteventful none".split()
)
# Words without a meaning of their own: the heading says what they answer.
_ANSWERS = frozenset("1 0 true false yes no y n t f".split())
# Begins a part of a heading that may ask for the reverse of an event. It need not: `cens` of the
# much used data set GBSG2 is 1 for an event.
_REVERSE = ("cens", "alive", "living", "surviv")
# Words that a message names.
_MOST_NAMED = 5


def read_times(column: pd.Series) -> np.ndarray:
    """Return times as float64, (rows,).

    Args:
        column: Times from the start to the event or the end of observation, indexed by sample.

    Raises:
        ValueError: A time is no finite number above 0; the message names its sample.
    """
    times = np.asarray(pd.to_numeric(column, errors="coerce"), "float64")
    wrong = np.flatnonzero(~(np.isfinite(times) & (times > 0)))
    if len(wrong):
        sample, value = column.index[wrong[0]], column.iloc[wrong[0]]
        way_out = (
            "Leave these samples out, or give those of time 0 half of the shortest interval."
            if np.isfinite(times[wrong]).any()
            else "Write the time since the start of observation as a number, all in one unit."
        )
        raise ValueError(
            f"{column.name}: sample {sample}: expected a time above 0; received "
            f"{as_text(value)!r} ({len(wrong)} such samples). {way_out}"
        )
    return times


def read_events(column: pd.Series) -> np.ndarray:
    """Return 1 where the event was observed and 0 where it was censored, (rows,) float64.

    Args:
        column: Events indexed by sample: 1 and 0, true and false, or words such as Dead and Alive
            or 1:DECEASED and 0:LIVING.

    Raises:
        ValueError: A word is not known, its code contradicts it, or codes are those of several
            kinds of events.
    """
    labels = column.map(_label)
    words = sorted(set(labels), key=natural)
    codes = {word: code for word in words if (code := _code(word)) is not None}
    unknown = [word for word in words if word not in codes]
    if unknown:
        raise ValueError(f"{column.name}: {_refusal(unknown, column, labels)}")
    for word in words:
        if (coded := _CODED.fullmatch(word)) and _code(coded[2]) == 1 - codes[word]:
            raise ValueError(
                f"{column.name}: {word!r}: the code {coded[1]} means "
                f"{'an event' if codes[word] else 'censored'}, the word behind it the opposite. "
                "Write 1 for an event and 0 where observation ended without one."
            )
    events = labels.map(codes).to_numpy("float64")
    counts = labels.value_counts()
    named = ", ".join(
        f"{word!r} is {'an event' if codes[word] else 'censored'} ({counts[word]} rows)"
        for word in words
    )
    log.info("%s: %s", column.name, named)
    parts = re.split(r"[^a-z]+", str(column.name).casefold())
    if _ANSWERS.issuperset(map(_plain, words)) and any(p.startswith(_REVERSE) for p in parts):
        log.warning(
            "%s: %s. By its heading this column may mark samples without the event. If it does, "
            "all risks are reversed: exchange its two values.",
            column.name,
            named,
            extra={"about": "targets"},
        )
    return events


def _label(value):
    return as_text(value).strip()


def _code(word):
    """Return 1 for an event, 0 for none, None for a word that is not known."""
    if coded := _CODED.fullmatch(word):
        return int(coded[1])
    plain = _plain(word)
    return 1 if plain in _EVENTS else 0 if plain in _CENSORED else None


def _plain(word):
    """Return a number as short as can be, a word without case, blanks and punctuation."""
    try:
        return f"{float(word):g}"
    except ValueError:
        return "".join(letter for letter in word.casefold() if letter.isalnum())


def _refusal(unknown, column, labels):
    """Return the error text for words or codes of events that are not known."""
    numbers = [word for word in unknown if natural(word)[0] == 0]
    if len(numbers) == len(unknown):
        codes = sorted(set(labels), key=natural)
        shown = ", ".join(codes[:_MOST_NAMED])
        if codes == ["1", "2"]:
            return (
                f"expected 1 (event) and 0 (censored); received the codes {shown}. In R's survival "
                "2 is the event: subtract 1 from the column."
            )
        return (
            f"expected 1 (event) and 0 (censored); received the codes {shown}. Competing events "
            "are not modelled: write 1 for the event in question and 0 for all others (a "
            "cause-specific hazard)."
        )
    first = unknown[0]
    sample = column.index[int((labels == first).to_numpy().argmax())]
    shown = ", ".join(map(repr, unknown[:_MOST_NAMED]))
    return (
        f"sample {sample}: expected an event as 1 or 0, true or false, or words such as Dead and "
        f"Alive or 1:DECEASED and 0:LIVING; received {shown}. Write 1 for an event and 0 where "
        "observation ended without one."
    )
