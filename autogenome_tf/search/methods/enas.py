"""ENAS (Pham et al. 2018): a controller samples wired networks from a bank of shared weights.

Epochs of the shared weights on training rows take turns with updates of the controller on
validation rows. Then many arcs are sampled and scored with shared weights. The best are proposed as
trials, which train from scratch as those of any search do. Between them stand the best so far with
other dropouts, L2 and label smoothing, which shared weights do not distinguish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autogenome_tf.search import Proposal, Request, SearchMethod

if TYPE_CHECKING:
    from autogenome_tf.config import Search
    from autogenome_tf.run import Run


class Enas(SearchMethod):
    """Propose the finalists of a search with shared weights; it begins at the first proposal."""

    summary = "a search with shared weights, which needs exactly the family `wired`"
    families = ("wired",)
    is_of_shared_weights = True

    def __init__(self, request: Request):
        from autogenome_tf.search._enas.finalists import Finalists

        super().__init__(request)
        self.finalists = Finalists(request)

    @classmethod
    def most_trials(cls, settings: Search) -> int:
        """Return the number of finalists."""
        return min(settings.max_trials, settings.top_k)

    @classmethod
    def seconds_before(cls, run: Run) -> float:
        """Return the seconds that shared weights and controller of an interrupted run took."""
        from autogenome_tf.search._enas.tables import seconds_of

        return seconds_of(run)

    def propose(self) -> Proposal | None:
        """Return the next finalist, best first; None when all have been proposed."""
        return self.finalists.propose()

    def report(self, handle: Any, score: float | None) -> None:
        """Note the stand-alone score of a finalist, None for a failure."""
        self.finalists.report(handle, score)
