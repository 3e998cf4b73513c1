"""Fewer linear learners, seeds and draws, for tests of other things."""


def solve_little():
    """Leave the linear family gene power 0 and few values a path; return its space as it was."""
    import dataclasses

    from autogenome_tf.families import member

    few = {
        "gene_power": (0.0,),
        "l2": (0.01, 0.1, 1.0),
        "shrinkage": (0.3,),
        "threshold": (1.0,),
        "components": (3,),
    }
    linear = member("linear")
    before = linear.space
    less = {
        name: dataclasses.replace(before[name], options=options) for name, options in few.items()
    }
    linear.space = before | less
    return before


def seed_little():
    """Average two networks where there would be five; return how many there were."""
    from autogenome_tf.training import _settings

    before, _settings.AUTO_SEEDS = _settings.AUTO_SEEDS, 2
    return before


def draw_little():
    """Draw few rows anew for intervals of latent spaces; return how many draws there were."""
    from autogenome_tf.models import _latent_space

    before, _latent_space.RESAMPLES = _latent_space.RESAMPLES, 20
    return before
