"""A model of a run with the rows that it is explained on."""

import dataclasses
import functools
from typing import Any

from autogenome_tf import explainers
from autogenome_tf.automl._chosen_rows import ChosenRows
from autogenome_tf.config import Explanation
from autogenome_tf.ensemble import Retraining
from autogenome_tf.explainers import Attributions
from autogenome_tf.models import Predictor
from autogenome_tf.run import Run
from autogenome_tf.search import eligible, trials_of
from autogenome_tf.tasks import OutputMeans
from autogenome_tf.training import Trial


@dataclasses.dataclass(frozen=True)
class Explained:
    """A model of a run with the rows that it is explained on.

    Attributes:
        run: The run that files are written to.
        model: Its model.
        chosen: Rows to explain and their background.
        settings: The config's `explanation` section.
        families: The config's section `families`.
        retraining: Trains networks of a trial anew.
    """

    run: Run
    model: Predictor
    chosen: ChosenRows
    settings: Explanation
    families: dict[str, dict[str, Any]]
    retraining: Retraining

    @functools.cached_property
    def trials(self) -> list[Trial]:
        """Return the trials of the search, best first."""
        return trials_of(self.run.read_table("leaderboard.tsv"))

    @property
    def best_trial(self) -> Trial:
        """Return the best trial of those that the config asks for."""
        return eligible(self.trials, self.families)[0]

    def attributions(
        self, model: explainers.Model | None = None, method: str | None = None
    ) -> Attributions:
        """Compute attributions of a model for the chosen rows.

        Args:
            model: In place of the run's.
            method: In place of that of the settings.
        """
        found = explainers.explain(
            model or self.model, self.chosen.explained, self.chosen.background,
            method or self.settings.method, remaining_fraction=self.settings.part,
        )  # fmt: skip
        return found if self.means is None else found.averaged(self.means)

    @property
    def means(self) -> OutputMeans | None:
        """Return the means of outputs that are explained in their place; None: each output is."""
        return self.model.task.means
