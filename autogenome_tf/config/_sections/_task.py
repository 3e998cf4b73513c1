"""Section `task`: what is predicted and what training minimises."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from autogenome_tf.config._members import OneOf
from autogenome_tf.config._sections._base import Positive, Section
from autogenome_tf.tasks import DEFAULT, KINDS, Kind, types

LOSSES = tuple(dict.fromkeys(loss for kind in KINDS.values() for loss in kind.losses))


class TaskSection(Section):
    """Type of the task and the loss that training minimises."""

    type: Annotated[str, OneOf(KINDS)] = Field(
        default=DEFAULT.type,
        description=(
            "`survival` is the time to an event and needs two columns in `data.target`. `mixed`: "
            "several targets, classes, numbers and times to events, each with gaps of its own. "
            "`representation` needs no target; it takes the family `resvae` alone and a single "
            "transform."
        ),
    )
    loss: Annotated[str, OneOf(LOSSES)] | None = Field(
        default=None,
        description=(
            "Loss by type, the first is the default: `cross_entropy`, `focal_loss`; `mse`, "
            "`mae`, `huber`; `cox` (proportional hazards), `hazard` (discrete time); `joint` (mean "
            "over targets of cross-entropy, squared error and loss `hazard`); `elbo`."
        ),
    )
    class_weight: Literal["balanced"] | dict[str, Positive] | None = Field(
        default=None,
        description=(
            "`balanced`: all classes have the same total weight; or a weight for each class name. "
            "Where `search.objective` is `balanced_accuracy` and no value is named: `balanced`."
        ),
    )

    labels: Literal["none", "semi"] = Field(
        default="none",
        description=(
            "Of type `representation`: whether the labels in `data.target` only score the latent "
            "space (`none`), or those of training samples shape it too (`semi`): a classifier on "
            "it is trained with the autoencoder. Samples without a label (an empty cell, or a "
            "word of `data.missing_words` such as `unknown`) take part. Labels of validation "
            "samples choose the epoch; those of the test part and `data.evaluate` alone score."
        ),
    )
    kinds: dict[str, Literal["classification", "regression"]] = Field(
        default={},
        description=(
            "Of type `mixed`: kind of targets by their names where their values do not show it, "
            "such as classes that are written as numbers. Unnamed ones are numbers where all their "
            "values are, else classes."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _usual_loss(cls, values):
        if isinstance(values, dict) and values.get("loss") is None:
            given = values.get("type", DEFAULT.type)
            kind = KINDS.get(given) if isinstance(given, str) else None
            return {**values, "loss": kind.losses[0] if kind else None}
        return values

    @model_validator(mode="after")
    def _loss_fits_the_type(self):
        if self.loss not in self.kind.losses:
            raise ValueError(
                f"{self.type} is trained with one of {', '.join(self.kind.losses)}; "
                f"received {self.loss!r}"
            )
        if self.class_weight and not self.kind.has_classes:
            fitting = " or ".join(types("has_classes"))
            raise ValueError(f"class_weight is for {fitting}; the type is {self.type!r}")
        if self.kinds and not self.kind.is_of_several:
            fitting = " or ".join(types("is_of_several"))
            raise ValueError(f"kinds is for {fitting}; the type is {self.type!r}")
        if self.labels != "none" and self.kind.has_targets:
            raise ValueError(f"labels is for representation; the type is {self.type!r}")
        return self

    @property
    def needs_target(self) -> bool:
        """Return whether rows must have a target, or labels, to learn from."""
        return self.kind.has_targets or self.labels != "none"

    @property
    def kind(self) -> Kind:
        """Return the class of the task, which answers for what it needs."""
        return KINDS[self.type].for_loss(self.loss)
