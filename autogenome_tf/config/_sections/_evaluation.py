"""Section `evaluation`: how far predictions can be trusted."""

from typing import Annotated

from pydantic import Field

from autogenome_tf.config._sections._base import Section

Share = Annotated[float, Field(gt=0, lt=1)]


class Evaluation(Section):
    """Sets of classes and intervals of values with a stated coverage."""

    coverage: list[Share] = Field(
        default=[0.9],
        description=(
            "Coverage of prediction sets (classification) or prediction intervals (regression), "
            "each a share of samples: 0.9 means that 9 of 10 hold the true class or value. The "
            "exported model has those of the first. `[]`: none."
        ),
    )
    permutations: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description=(
            "Number of fits of the best trial to permuted targets, for the p-value of its "
            "validation score; 0: none. 99 are usual; each costs a fit."
        ),
    )
    learning_curve: bool = Field(
        default=False,
        description=(
            "Train the best trial on 30, 50, 70, 85 and 100 % of the training rows, and predict "
            "what twice the rows would bring."
        ),
    )
