"""Section `search`: how structure and hyperparameters are found, and for how long."""

from typing import Annotated, Literal

from pydantic import Field

from autogenome_tf.config._members import MemberOf, described
from autogenome_tf.config._sections._base import Count, Fraction, Positive, Section


class Enas(Section):
    """The search with shared weights; published values where they hold for few epochs."""

    controller: Literal["lstm", "evolution", "uniform"] = Field(
        default="lstm",
        description=(
            "Chooses the children that are rewarded: `lstm`, a policy that learns by REINFORCE; "
            "`evolution`, mutants of the best of a population of 64; `uniform` does not learn: "
            "every child has the same probability."
        ),
    )
    children: Count = Field(
        default=4, description="Number of children that one step of the shared weights trains."
    )
    updates: Count = Field(
        default=10, description="Number of updates of the controller after each epoch."
    )
    samples: Count = Field(
        default=20, description="Number of arcs that an update is averaged over."
    )
    candidates: Count = Field(
        default=100, description="Number of arcs sampled and scored at the end."
    )
    units: Count = Field(default=64, description="Units of the controller's LSTM.")
    learning_rate: Positive = Field(default=3.5e-3, description="Learning rate of the controller.")
    temperature: Positive | None = Field(
        default=None, description="Divisor of the controller's logits."
    )
    tanh_constant: Positive | None = Field(
        default=1.5, description="Bound of the controller's logits."
    )
    entropy_weight: Annotated[float, Field(ge=0)] = Field(
        default=1e-4, description="Weight of an arc's entropy in the controller's reward."
    )
    skip_target: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.4, description="Target rate of skips."
    )
    skip_weight: Annotated[float, Field(ge=0)] = Field(
        default=0.8,
        description="Weight of the divergence from the target rate in the controller's loss.",
    )
    baseline_decay: Fraction = Field(
        default=0.9, description="Decay of the moving average of rewards."
    )


class Search(Section):
    """Search of structure and hyperparameters, with its budget."""

    method: Annotated[str, MemberOf("search/methods")] = Field(
        default="bayesian",
        description="or any other file of `search/methods/`.",
        json_schema_extra=described("search/methods"),
    )
    start: Literal["portfolio", "defaults"] = Field(
        default="portfolio",
        description=(
            "Configurations that `bayesian`, `random` and `hyperband` try first: `portfolio`, "
            "those that scored best on other data sets, within what `families` asks for, then "
            "the default of each family that has none of them; `defaults`, the latter of all. "
            "`portfolio` also orders the linear learners."
        ),
    )
    max_trials: Count = Field(default=30, description="Most trials, without the linear ones.")
    max_seconds: Positive | None = Field(
        default=None,
        description=(
            "Time budget of search, baseline and final fit together; the search ends at this or "
            "at `max_trials`, whichever comes first."
        ),
    )
    max_parameters: Count | None = Field(
        default=None,
        description=(
            "Most parameters of a network, for `enas` alone: larger ones are neither trained nor "
            "proposed."
        ),
    )
    epochs: Count = Field(
        default=20,
        description=(
            "Most epochs of a trial; for `enas`, of the shared weights, each four passes over the "
            "rows (its finalists train for `training.epochs`)."
        ),
    )
    folds: Literal["auto"] | Count = Field(
        default="auto",
        description=(
            "Number of folds, each a fit of the trial; `auto`: 5 up to 2,000 training rows if "
            "five copies of them stay below `data.memory`, else 1 (then `split.validation` "
            "ranks trials); 1 for a representation."
        ),
    )
    repeats: Literal["auto"] | Count = Field(
        default="auto",
        description=(
            "Number of networks per fold, whose average is scored; `auto`: 3 with fewer than 200 "
            "training rows in folds where the final model averages several networks, else 1."
        ),
    )
    outer: Literal[0] | Annotated[int, Field(ge=2)] = Field(
        default=0,
        description=(
            "Outer folds of a nested cross-validation: each is predicted by a run of its own, in "
            "`outer/`, that never saw it; 0: none. Each costs as much as the run itself: "
            "`max_trials` and `max_seconds` hold for each."
        ),
    )
    objective: str = Field(
        default="auto",
        description=(
            "Metric that ranks trials. Classification: `log_loss` (`auto`), `accuracy`, "
            "`balanced_accuracy`, `f1_macro`, `mcc`, `roc_auc`; regression: `r2` (`auto`), "
            "`pearson`, `spearman`, `rmse`, `mae`; survival: "
            "`partial_log_likelihood` (`auto`; of task.loss `hazard` `hazard_log_likelihood`), "
            "`concordance`, `concordance_uno`, `auc_q25`, "
            "`auc_median`, `auc_q75`, `brier`, `brier_ratio`, `d_calibration`; mixed: `skill`; "
            "representation: `elbo`."
        ),
    )
    top_k: Annotated[int, Field(ge=2)] = Field(
        default=5,
        description=(
            "Number of finalists of `enas`, at most `max_trials`: of three, one is the next best "
            "by shared weights, two are the best so far with other dropouts, L2 and label "
            "smoothing, which shared weights do not distinguish."
        ),
    )
    enas: Enas = Field(default_factory=Enas)
