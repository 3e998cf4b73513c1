"""Sections `training` and `ensemble`: how networks are trained, and how many predict."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from autogenome_tf.config._sections._base import Count, NotNegative, Positive, Section

Optimizer = Literal[
    "adam", "adamw", "sgd", "momentum", "rmsprop", "adagrad", "adadelta", "ftrl", "lamb", "lion"
]  # fmt: skip
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)


class Decay(Section):
    """Decay of the learning rate while the loss does not improve."""

    after: Count | None = Field(
        default=None,
        description="Epochs without improvement before a decay; null: a third of `patience`.",
    )
    factor: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.3, description="Factor of the learning rate at each decay."
    )


class Epistasis(Section):
    """Regularisation by the absolute Walsh coefficients of a network over genotypes."""

    method: Literal["auto", "exact", "hashed"] = Field(
        default="auto",
        description=(
            "`exact`: all Walsh coefficients, of 2^n genotypes of n sites a step (up to 16 sites); "
            "`hashed`: sums of them, of 2^`bits` genotypes drawn each step (HashWH); `auto`: exact "
            "up to 13 sites."
        ),
    )
    strength: NotNegative | Annotated[list[NotNegative], Field(min_length=1)] = Field(
        default=[0.03, 0.003, 0.01, 0.1, 0.3],
        description=(
            "Factor in the loss of the sum of the absolute coefficients, in standard deviations "
            "of the target; several factors are values of the hyperparameter `epistasis`, the "
            "first its default."
        ),
    )
    bits: Annotated[int, Field(ge=1, le=16)] = Field(default=7, description="See `hashed`.")

    @property
    def strengths(self) -> tuple[float, ...]:
        """Return the strengths to choose from, each once."""
        given = self.strength if isinstance(self.strength, list) else [self.strength]
        return tuple(dict.fromkeys(given))


class Training(Section):
    """Training of the final network and, except for its epochs, of each trial."""

    epochs: Count = Field(default=200, description="Most epochs of the final fit.")
    batch_size: Literal["auto"] | Count = Field(
        default="auto",
        description=(
            "Largest batch size; smaller where rows would not fill 8 batches. `auto`: 64, and with "
            "more than 8,192 training rows a 128th of them, up to 256."
        ),
    )
    optimizer: Optimizer = Field(default="adam", description="Optimizer of every network.")
    learning_rate: (
        Literal["auto"] | Positive | Annotated[list[Positive], Field(min_length=2, max_length=2)]
    ) = Field(
        default="auto",
        description=(
            "`auto`: a range test before each fit; two numbers are its lowest and highest rate."
        ),
    )
    patience: Count = Field(
        default=15, description="Epochs without improvement before training stops."
    )
    min_gain: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Smallest decrease of the loss that counts as an improvement."
    )
    decay: Decay = Field(default_factory=Decay)
    space: Literal["auto", "rows", "genes"] = Field(
        default="auto",
        description=(
            "Coordinates in which the first layer is trained: `genes`; `rows`, the span of the "
            "training rows (for more than 1,500 training rows their 512 widest directions); "
            "`auto`: `rows` where genes outnumber a moderate number of rows, or where rows x genes "
            "is above 20 million and genes are more than 2,048."
        ),
    )
    devices: Count = Field(
        default=1,
        description=(
            "Local GPUs that share each batch (`tf.distribute.MirroredStrategy`), where rows are "
            "read batch by batch (see `data.memory`) and there are targets."
        ),
    )
    l2: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Fixes the hyperparameter `l2` of every network."
    )
    epistasis: Epistasis | None = Field(
        default=None,
        description=(
            "For a regression on genotypes (every value 0 or 1): adds the absolute Walsh "
            "coefficients of the network's outputs over all genotypes to its loss (Epistatic "
            "Net). `{}` for the defaults."
        ),
    )

    @model_validator(mode="after")
    def _genotypes_are_seen_as_they_are(self):
        if self.epistasis and self.space == "rows":
            raise ValueError(
                "space: genotypes beside the training rows lie outside of their span; expected "
                "auto or genes with epistasis; received 'rows'"
            )
        return self


class Ensemble(Section):
    """Number of networks that are averaged for the final prediction."""

    size: Literal["auto"] | Count = Field(
        default=1,
        description=(
            "1: the best trial is retrained, with folds on all training rows; where values are "
            "predicted and it is a linear learner, all linear learners are, and become one linear "
            "model, each by its posterior share; more: the networks of that many best trials are "
            "averaged, with weights from a greedy selection on out-of-fold predictions; `auto`: 10 "
            "trials below 1,000 training rows, else 3."
        ),
    )
    seeds: Literal["auto"] | Count = Field(
        default="auto",
        description=(
            "With `size` 1, the number of networks that the best trial is retrained as; they "
            "differ in their seed, and their outputs are averaged. `auto`: 5 below 1,000 training "
            "rows, else 1; 1 with `search.max_parameters`, and for networks of gene sets. Linear "
            "learners and forests are always one."
        ),
    )
