"""Section `explanation`: method and rows of attributions, and pairs of genes."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from autogenome_tf.config._members import MemberOf, described
from autogenome_tf.config._sections._base import Count, Section


class Interactions(Section):
    """Pairs of genes that act together."""

    genes: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Number of the most important genes whose pairs are ranked; 0: none."
    )
    method: Annotated[str, MemberOf("explainers", having="serves_interactions")] = Field(
        default="knockout",
        description=(
            "Method for pairs: double knock-out, or an explainer whose contributions are "
            "compared with and without the other gene."
        ),
    )
    null: Annotated[int, Field(ge=0)] = Field(
        default=20,
        description=(
            "Networks trained on targets that a linear model explains, for p and q; 0 leaves them "
            "out. A single pair's q is no smaller than 1 over their number."
        ),
    )


class Explanation(Section):
    """Method and rows of attributions."""

    method: Annotated[str, MemberOf("explainers", "auto")] = Field(
        default="auto",
        description=("`auto`: the best one that is defined on the model, `fast_deep_shap` first."),
        json_schema_extra=described("explainers"),
    )
    background: Count = Field(
        default=100, description="Number of training rows that contributions are compared with."
    )
    background_by: Literal["random", "kmeans"] = Field(
        default="random",
        description=(
            "Choice of the background rows; `kmeans`: those nearest to the centres of as many "
            "clusters."
        ),
    )
    samples: Count = Field(
        default=100, description="Number of rows to explain, of the test part where there is one."
    )
    top: Count = Field(default=20, description="Number of genes in figures and in effects.tsv.")
    repeats: Count = Field(
        default=1,
        description=(
            "Above 1: at most that many networks are explained, and stability.tsv shows how well "
            "they agree: those that the final model averages, or, where it is one network, the "
            "best trial trained with other seeds."
        ),
    )
    part: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description=(
            "Factor of a gene's raw value under `knockout`: 0 a knock-out, 0.5 a knock-down, 2 "
            "over-expression. Other genes keep their values, a library is not renormalised."
        ),
    )
    sets: Annotated[int, Field(ge=0)] = Field(
        default=20,
        description=(
            "Where trials have gene sets (`pathway`): number of networks for sets.tsv, and for "
            "each of its two controls; 0 leaves it out."
        ),
    )
    interactions: Interactions = Field(default_factory=Interactions)

    @field_validator("sets")
    @classmethod
    def _a_deviation_needs_two(cls, sets):
        if sets == 1:
            raise ValueError("expected 0 or at least 2 networks, which can differ; received 1")
        return sets
