"""The variational autoencoder: formulas against closed forms, scipy and probabilistic PCA."""

import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from autogenome_tf.nn import likelihoods
from autogenome_tf.nn.likelihoods import LIKELIHOODS
from autogenome_tf.nn.probabilistic_pca import ProbabilisticPCA
from autogenome_tf.nn.res_vae import ResVAE

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(40, 12)).astype("float32")
COUNTS = RANDOM.poisson(4.0, size=(40, 12)).astype("float32")


def of(likelihood="gaussian", **changes):
    """A small model."""
    given = {"genes": 12, "latent": 3, "widths": (8, 6), "likelihood": likelihood} | changes
    return ResVAE(**given)


def inputs_of(model, rows=ROWS):
    """What a call takes."""
    return (rows, COUNTS[: len(rows)]) if model.likelihood.of_raw else rows


def test_the_divergence_is_that_of_a_monte_carlo_estimate():
    mean, log_variance = np.array([[0.5, -1.0]]), np.array([[0.3, -0.7]])
    found = float(tf.reduce_sum(likelihoods.kl_divergence(mean, log_variance)))
    assert found == pytest.approx(0.74822, abs=1e-5)
    drawn = mean + np.exp(log_variance / 2) * RANDOM.normal(size=(500_000, 2))
    posterior = scipy.stats.norm.logpdf(drawn, mean, np.exp(log_variance / 2)).sum(1)
    prior = scipy.stats.norm.logpdf(drawn).sum(1)
    assert (posterior - prior).mean() == pytest.approx(found, abs=5e-3)


@pytest.mark.parametrize("mean", [0.01, 3.0, 5e5])
@pytest.mark.parametrize("theta", [0.1, 4.0, 1000.0])
def test_negative_binomial_is_scipys(mean, theta):
    counts = np.unique(np.geomspace(1, 1e6, 40).astype(int))
    counts = np.r_[0, counts].astype("float32")[:, None]
    found = likelihoods.log_negative_binomial(
        tf.constant(counts), tf.fill(counts.shape, mean), tf.constant([np.log(theta)], tf.float32)
    )
    expected = scipy.stats.nbinom.logpmf(counts, theta, theta / (theta + mean))
    assert found.numpy() == pytest.approx(expected, rel=2e-5, abs=2e-5)


def test_slopes_of_the_negative_binomial_are_those_of_scipys():
    counts = RANDOM.poisson(1.5, (40, 6)).astype("float32")
    counts[0], counts[1] = 2000, 0.7
    mean = RANDOM.gamma(1, 3, counts.shape)
    log_theta = np.array([-3.0, -1, 0, 1, 3, 5])

    def total(mean, log_theta):
        theta = np.exp(log_theta)
        # SciPy's own takes whole numbers only.
        return (
            scipy.special.gammaln(counts + theta) - scipy.special.gammaln(theta)
            + theta * np.log(theta / (theta + mean)) + counts * np.log(mean / (theta + mean))
        )  # fmt: skip

    step = 1e-6
    of_mean = (total(mean + step, log_theta) - total(mean - step, log_theta)) / (2 * step)
    of_theta = (total(mean, log_theta + step) - total(mean, log_theta - step)) / (2 * step)
    seen = tf.constant(mean, tf.float32), tf.constant(log_theta, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(seen)
        found = likelihoods.log_negative_binomial(tf.constant(counts), *seen)
    slopes = tape.gradient(found, seen)
    assert slopes[0].numpy() == pytest.approx(of_mean, rel=1e-4, abs=1e-5)
    assert slopes[1].numpy() == pytest.approx(of_theta.sum(axis=0), rel=1e-4, abs=1e-3)


def test_zero_inflated_chances_add_up_and_zero_has_its_closed_form():
    counts = tf.range(0.0, 400.0)[:, None]
    mean, theta, logit = 6.0, 2.0, 0.4
    found = likelihoods.log_zero_inflated(
        counts, tf.fill(counts.shape, mean), tf.math.log([theta]), tf.constant(logit)
    ).numpy()
    assert np.exp(found.astype("float64")).sum() == pytest.approx(1, abs=1e-5)
    chance = scipy.special.expit(logit)
    assert np.exp(found[0]) == pytest.approx(
        chance + (1 - chance) * (theta / (theta + mean)) ** theta, rel=1e-5
    )


def test_bernoulli_is_that_of_its_chance():
    logits = np.array([[-2.0, 0.5, 3.0]], "float32")
    values = np.array([[0.0, 1.0, 1.0]])
    found = LIKELIHOODS["bernoulli"].log_density(values, logits, None, None, None)
    expected = scipy.stats.bernoulli.logpmf([[0, 1, 1]], scipy.special.expit(logits))
    assert np.asarray(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_missing_values_are_left_out(name):
    model = of(name)
    rows, values = ROWS[:4], (COUNTS[:4] if model.likelihood.of_raw else ROWS[:4]).copy()
    decoded = model.decoder(np.ones((4, 3), "float32"))
    shared = model.shared
    whole = model.likelihood.log_likelihood(values, decoded, shared, 10.0)
    values[0, 2] = np.nan
    some = model.likelihood.log_likelihood(values, decoded, shared, 10.0)
    assert np.isfinite(some).all() and some[0] != whole[0]
    assert np.array_equal(some[1:], whole[1:]) and rows.shape == values.shape


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_several_decodings_of_the_same_rows_are_each_as_alone(name):
    model = of(name)
    values = (COUNTS[:4] * 300 if model.likelihood.of_raw else ROWS[:4]).copy()
    values[0, 2] = np.nan
    points = np.random.default_rng(5).normal(size=(3, 4, 3)).astype("float32")
    decoded = [model.decoder(own) for own in points]
    constant = model.likelihood.constant(values, model.shared)
    found = model.likelihood.log_likelihood(values, np.stack(decoded), model.shared, 10.0, constant)
    alone = [model.likelihood.log_likelihood(values, own, model.shared, 10.0) for own in decoded]
    assert found.numpy() == pytest.approx(np.array(alone), rel=1e-6)


def linear(values, latent):
    """ELBO and its maximisers of a linear model, by the closed form of its expectations.

    Rows x are decoded as W z + mean with variance s; the best posterior of probabilistic PCA
    (Tipping and Bishop 1999) is written into a `ResVAE`-like bound.
    """
    mean = values.mean(0)
    weights, vectors = np.linalg.eigh(np.cov(values.T, bias=True))
    weights, vectors = weights[::-1], vectors[:, ::-1]
    s = weights[latent:].mean()
    kernel = vectors[:, :latent] * np.sqrt(weights[:latent] - s)
    inner = kernel.T @ kernel + s * np.eye(latent)
    encode = np.linalg.solve(inner, kernel.T)
    variance = s / np.diag(inner)
    d = values.shape[1]
    best = -0.5 * (
        d * np.log(2 * np.pi) + np.log(weights[:latent]).sum() + (d - latent) * np.log(s) + d
    )
    return mean, kernel, encode, variance, s, best, weights


FACTORS = RANDOM.normal(size=(400, 3)) * [4.0, 2.0, 1.0]
LINEAR = FACTORS @ np.linalg.qr(RANDOM.normal(size=(12, 3)))[0].T * 3
LINEAR = (LINEAR + 0.7 * RANDOM.normal(size=LINEAR.shape)).astype("float32")


def test_the_bound_of_a_linear_model_is_that_of_probabilistic_pca():
    mean, kernel, encode, variance, s, best, _ = linear(LINEAR.astype("float64"), 3)
    model = of(widths=(8, 6))
    rows, points = keras.Input((12,)), keras.Input((3,))
    head, spread = keras.layers.Dense(3), keras.layers.Dense(3)
    model.encoder = keras.Model(rows, [head(rows), spread(rows)])
    back = keras.layers.Dense(12)
    model.decoder = keras.Model(points, back(points))
    head.set_weights([encode.T, -encode @ mean])
    spread.set_weights([np.zeros((12, 3)), np.log(variance)])
    back.set_weights([kernel.T, mean])
    model.shared.assign([np.log(s)])
    bounds = []
    for seed in range(60):
        likelihood, divergence = model.bound(LINEAR, seed=seed)
        bounds.append(np.mean(likelihood) - np.sum(np.mean(divergence, axis=0)))
    error = float(np.std(bounds)) / len(bounds) ** 0.5
    assert np.mean(bounds) == pytest.approx(float(best), abs=4 * error + 1e-3) and error < 0.05
    # At the optimum the posterior is exact, so that one draw already gives log p of each row.
    exact = scipy.stats.multivariate_normal(mean, kernel @ kernel.T + s * np.eye(12))
    found = model.importance_weighted(LINEAR[:20], 5, seed=1)
    assert np.asarray(found) == pytest.approx(exact.logpdf(LINEAR[:20]), abs=1e-2)


def test_components_are_those_of_the_closed_form():
    mean, kernel, encode, variance, s, _, _ = linear(LINEAR.astype("float64"), 3)
    found = ProbabilisticPCA.of(LINEAR, 3)
    assert found.mean == pytest.approx(mean, abs=1e-4)
    assert found.variance == pytest.approx(s, rel=0.05)
    assert np.abs(found.kernel) == pytest.approx(np.abs(kernel.T), abs=0.3)
    assert np.abs(found.encoder) == pytest.approx(np.abs(encode.T), abs=0.05)
    assert found.posterior == pytest.approx(variance, rel=0.15)


def test_few_rows_do_not_pretend_to_a_small_variance():
    noise = np.random.default_rng(4).normal(size=(20, 500)).astype("float32")
    found = ProbabilisticPCA.of(noise, 10)
    assert found.variance > 0.8 and (found.kernel**2).sum(axis=1).max() < 10
    assert ProbabilisticPCA.of(noise[:3], 10).kernel.shape == (10, 500)


def test_a_linear_model_starts_at_the_bound_of_probabilistic_pca():
    best = linear(LINEAR.astype("float64"), 3)[5]
    model = of(linear=True, dropout=0.0)
    model.start(LINEAR)
    bounds = []
    for seed in range(40):
        likelihood, divergence = model.bound(LINEAR, seed=seed)
        bounds.append(float(np.mean(likelihood) - np.sum(np.mean(divergence, axis=0))))
    assert np.mean(bounds) == pytest.approx(float(best), abs=0.1)


def test_a_start_leaves_covariates_out_of_the_latent_space():
    batch = np.eye(2)[np.arange(400) % 2].astype("float32")
    shift = np.random.default_rng(6).normal(size=12) * 5
    moved = (LINEAR + batch[:, 1:] * shift).astype("float32")
    model = of(linear=True, covariates=2, dropout=0.0)
    model.start(moved, batch)
    latent = np.asarray(model.encode(np.hstack([moved, batch]))[0])
    apart = latent[batch[:, 0] == 1].mean(axis=0) - latent[batch[:, 1] == 1].mean(axis=0)
    assert np.abs(apart).max() < 0.05 and latent.std(axis=0).min() > 0.5
    told = np.asarray(model(np.hstack([moved, batch])))
    assert np.mean((told - moved) ** 2) < 0.7


@pytest.mark.parametrize("name", ["bernoulli", "negative_binomial", "zero_inflated"])
def test_a_start_of_raw_values_tells_their_means(name):
    model = of(name, linear=True, dropout=0.0)
    values = np.minimum(COUNTS, 1.0) if name == "bernoulli" else COUNTS + 1
    rows = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-3)
    model.start(rows.astype("float32"), values=values)
    told = np.asarray(model((rows.astype("float32"), values))).mean(axis=0)
    halved = 0.5 if name == "zero_inflated" else 1.0
    assert told == pytest.approx(halved * values.mean(axis=0), rel=0.2, abs=0.05)


def trained(rows, epochs=150, rate=5e-3, **changes):
    """A model fitted by Keras' own loop."""
    model = of(genes=rows.shape[1], dropout=0.0, normalization="none", **changes)
    model.compile(keras.optimizers.Adam(rate))
    model.fit(rows, batch_size=100, epochs=epochs, verbose=0, shuffle=True)
    return model


def linear_model(beta=1.0, variance=None):
    """One without a hidden layer, trained."""
    keras.utils.set_random_seed(2)
    model = of(latent=5, beta=beta, variance=variance)
    rows, points = keras.Input((12,)), keras.Input((5,))
    constant = keras.layers.Dense(5, kernel_initializer="zeros")
    model.encoder = keras.Model(rows, [keras.layers.Dense(5)(rows), constant(rows)])
    model.decoder = keras.Model(points, keras.layers.Dense(12)(points))
    model.compile(keras.optimizers.Adam(0.02))
    step, rows = tf.function(model.train_step), tf.constant(np.tile(LINEAR, (4, 1)))
    for rate in (0.02, 0.005, 0.001):
        model.optimizer.learning_rate = rate
        for _ in range(1200):
            step(rows)
    return model


def active_units(model):
    """Units whose mean varies."""
    return int((np.var(model.encode(LINEAR)[0], axis=0) > 0.01).sum())


@pytest.mark.slow
@pytest.mark.parametrize("variance", [8.0, 60.0])
def test_units_collapse_by_the_law_of_the_variance(variance):
    weights = linear(LINEAR.astype("float64"), 3)[-1]
    # Lucas et al. 2019: a unit stays where its eigenvalue exceeds beta times the variance.
    assert active_units(linear_model(variance=variance)) == min(5, (weights > variance).sum())


@pytest.mark.slow
def test_the_learned_variance_is_the_mean_of_discarded_eigenvalues():
    weights = linear(LINEAR.astype("float64"), 3)[-1]
    model = linear_model()
    assert float(np.exp(model.shared.numpy()[0])) == pytest.approx(weights[5:].mean(), rel=0.2)


@pytest.mark.slow
def test_more_beta_is_less_divergence():
    def divergence(beta):
        keras.utils.set_random_seed(1)
        model = trained(LINEAR / 4, epochs=40, beta=beta)
        return float(model.losses_of(LINEAR / 4, seed=1)["kl"])

    few, many = divergence(4.0), divergence(0.25)
    assert few < many


def test_warmth_takes_part_in_the_loss_alone():
    model = of()
    warm = model.losses_of(ROWS, seed=1)
    model.warmth.assign(0.25)
    cool = model.losses_of(ROWS, seed=1)
    # As exact as a difference of two losses in float32 can be.
    error = float(np.finfo("float32").eps * warm["loss"])
    difference = float(warm["loss"] - cool["loss"])
    assert difference == pytest.approx(0.75 * float(warm["kl"]) / 12, abs=error)
    assert float(warm["kl"]) == float(cool["kl"])


def test_free_bits_cost_nothing():
    free = of(free_bits=1e3)
    found = free.losses_of(ROWS, seed=1)
    assert float(found["loss"]) == pytest.approx(
        (float(found["reconstruction"]) + 3 * 1e3) / 12, rel=1e-5
    )


@pytest.mark.slow
def test_more_draws_tighten_the_bound():
    model = trained(LINEAR / 4, epochs=10)
    one, many = (
        float(np.mean(model.importance_weighted(LINEAR / 4, draws, seed=3))) for draws in (1, 50)
    )
    likelihood, divergence = model.bound(LINEAR / 4, seed=3)
    assert many > one
    elbo = float(np.mean(likelihood) - np.mean(np.sum(divergence, axis=1)))
    assert one == pytest.approx(elbo, abs=1.0)


@pytest.mark.parametrize("name", LIKELIHOODS)
@pytest.mark.parametrize("skip", ["add", "concatenate"])
def test_a_saved_model_comes_back(name, skip, tmp_path):
    model = of(name, skip=skip, covariates=2)
    rows = np.concatenate([ROWS, np.eye(2)[np.arange(40) % 2]], axis=1).astype("float32")
    given = (rows, COUNTS) if model.likelihood.of_raw else rows
    model.compile("adam", run_eagerly=True)
    model.fit(given, epochs=1, verbose=0)
    model.save(tmp_path / "m.keras")
    back = keras.models.load_model(tmp_path / "m.keras")
    assert type(back) is ResVAE and back.get_config() == model.get_config()
    assert np.array_equal(back(given), model(given))
    assert np.array_equal(back.encode(rows)[0], model.encode(rows)[0])
    one, other = (float(m.losses_of(given, seed=1)["loss"]) for m in (model, back))
    assert one == other and np.isfinite(one)


def test_encoding_draws_nothing():
    model = of(dropout=0.5)
    first, second = model.encode(ROWS)[0], model.encode(ROWS)[0]
    assert np.array_equal(first, second)
    alike, other = of(seed=7, dropout=0.5), of(seed=8, dropout=0.5)
    assert np.array_equal(alike.encode(ROWS)[0], first)
    assert not np.array_equal(other.encode(ROWS)[0], first)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_expected_values_have_the_range_of_the_likelihood(name):
    model = of(name)
    model(inputs_of(model))
    drawn = model.sample(50, seed=1).numpy()
    assert drawn.shape == (50, 12) and np.isfinite(drawn).all()
    if name == "bernoulli":
        assert (drawn > 0).all() and (drawn < 1).all()
    if name == "negative_binomial":
        assert drawn.sum(1) == pytest.approx(1e4, rel=1e-4)
        library = np.full((50, 1), 77.0)
        assert model.sample(50, library=library, seed=1).numpy().sum(1) == pytest.approx(77)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_extreme_rows_stay_finite(name):
    model = of(name)
    rows, counts = ROWS * 1e4, COUNTS * 1e5
    given = (rows, counts) if model.likelihood.of_raw else rows
    model.compile(keras.optimizers.Adam(1e-2, clipnorm=1.0), run_eagerly=True)
    fitted = model.fit(given, epochs=3, verbose=0)
    assert np.isfinite(list(fitted.history.values())).all()


@pytest.mark.parametrize("name", ["gaussian", "negative_binomial"])
def test_other_units_of_the_latent_space_leave_bound_and_decoded_values(name):
    model, scale = of(name, linear=True, covariates=2), np.array([0.5, 3.0, 20.0], "float32")
    rows = np.hstack([ROWS, np.eye(2, dtype="float32")[np.arange(40) % 2]])
    scaled = model.scaled(np.array([5.0, 1.0, 2.0])).scaled(scale / [5.0, 1.0, 2.0])
    (mean, spread), (other, others) = model.encode(rows), scaled.encode(rows)
    assert other.numpy() == pytest.approx(mean.numpy() * scale, rel=1e-4, abs=1e-5)
    assert others.numpy() == pytest.approx(spread.numpy() + 2 * np.log(scale), abs=1e-4)
    given = inputs_of(model, rows)
    for own, found in zip(model.bound(given, seed=3), scaled.bound(given, seed=3), strict=True):
        assert found.numpy() == pytest.approx(own.numpy(), rel=1e-3, abs=1e-3)
    tight = model.importance_weighted(given, 20, 1), scaled.importance_weighted(given, 20, 1)
    assert tight[1].numpy() == pytest.approx(tight[0].numpy(), rel=1e-3)
    assert scaled.call(given).numpy() == pytest.approx(
        model.call(given).numpy(), rel=1e-3, abs=1e-4
    )
    drawn = model.sample(30, seed=2).numpy()
    assert scaled.sample(30, seed=2).numpy() == pytest.approx(drawn, rel=1e-3, abs=1e-4)


def test_a_decoder_alone_may_see_covariates():
    model = of(covariates=2, condition="decoder", linear=True)
    batch = np.eye(2, dtype="float32")[np.arange(40) % 2]
    rows = np.hstack([ROWS, batch])
    model.start(ROWS, batch)
    model.compile("adam")
    model.fit(rows, epochs=2, verbose=0)
    other = np.hstack([ROWS, batch[::-1]])
    means = [model.encode(one)[0].numpy() for one in (rows, other)]
    assert np.array_equal(*means) and means[0].std() > 0
    decoded = [model.decode(means[0], one).numpy() for one in (batch, batch[::-1])]
    assert np.abs(decoded[0] - decoded[1]).max() > 1e-3


@pytest.mark.parametrize("linear", [True, False])
def test_a_level_shifts_all_rows_alike(linear, tmp_path):
    batch = np.eye(2, dtype="float32")[np.arange(40) % 2]
    found = {}
    for condition in ("decoder", "shift"):
        model = of(covariates=2, condition=condition, linear=linear)
        if linear:
            model.start(ROWS, batch)
        model.compile("adam")
        model.fit(np.hstack([ROWS, batch]), epochs=2, verbose=0)
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
        means = model.encode(np.hstack([ROWS, batch]))[0].numpy()
        assert np.array_equal(means, model.encode(np.hstack([ROWS, batch[::-1]]))[0].numpy())
        shifts = model.decode(means, np.eye(2)[[0] * 40]) - model.decode(means, np.eye(2)[[1] * 40])
        found[condition] = shifts.numpy()
    assert np.ptp(found["shift"], axis=0).max() < 1e-5 < 1e-3 < np.abs(found["shift"]).max()
    assert np.ptp(found["decoder"], axis=0).max() > 1e-3


def test_a_start_behind_the_decoder_takes_differences_of_levels_out():
    shift = np.linspace(-4, 4, 12)
    batch = np.eye(2, dtype="float32")[np.arange(40) % 2]
    rows = (ROWS + batch[:, :1] * shift).astype("float32")
    model = of(covariates=2, condition="decoder", linear=True)
    model.start(rows, batch)
    latent = model.encode(np.hstack([rows, batch]))[0].numpy()
    levels = [latent[batch[:, level] == 1].mean(axis=0) for level in (0, 1)]
    assert np.abs(levels[0] - levels[1]).max() < 1e-3 * latent.std()


def test_labels_add_the_mean_cross_entropy_of_the_rows_that_have_one():
    model, none = of(classes=2), of()
    model.classifier.set_weights([np.eye(3, 2) * 2, np.array([0.5, 0.0])])
    labels = np.array([0, -1, 1, -1] + [-1] * 36, "int32")
    found = model.losses_of(ROWS, seed=1, labels=labels)
    drawn = tf.random.stateless_normal((40, 3), [1, 0])
    mean, log_variance = model.encode(ROWS)
    logits = np.asarray(model.classifier(mean + tf.exp(0.5 * log_variance) * drawn))
    each = scipy.special.logsumexp(logits, axis=1) - logits[np.arange(40), np.maximum(labels, 0)]
    expected = each[[0, 2]].mean()
    assert float(found["cross_entropy"]) == pytest.approx(expected, rel=1e-5)
    before = float(none.losses_of(ROWS, seed=1)["loss"])
    assert float(found["loss"]) == pytest.approx(before + 50 * expected / 12, rel=1e-5)
    rows = model.row_losses(ROWS, labels, seed=[1, 0]).numpy()
    assert rows[[0, 2], 2] == pytest.approx(50 * each[[0, 2]], rel=1e-5)
    assert not rows[labels < 0, 2].any()
    assert rows[:, 0].mean() == pytest.approx(float(found["reconstruction"]), rel=1e-5)
    assert rows[:, 1].mean() == pytest.approx(float(found["kl"]), rel=1e-5)
    unlabelled = model.losses_of(ROWS, seed=1, labels=np.full(40, -1, "int32"))
    assert float(unlabelled["loss"]) == pytest.approx(before, rel=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifier_starts_as_the_logistic_regression_on_components(classes):
    model = of(linear=True, classes=classes + 1)
    assert not np.asarray(model.classifier(LINEAR[:5, :3])).any()
    labels = np.digitize(FACTORS[:, 0], [-1.0, 2.0][: classes - 1]).astype("int32")
    hidden = np.where(np.arange(400) % 2, labels, -1).astype("int32")
    model.start(LINEAR, labels=hidden)
    logits = np.asarray(model.classifier(model.encode(LINEAR)[0]))[:, :classes]
    # The rows without a label, too.
    assert (logits.argmax(axis=1) == labels)[::2].mean() > 0.9
    known = hidden >= 0
    loss = scipy.special.logsumexp(logits, axis=1) - logits[np.arange(400), labels]
    assert loss[known].mean() < 0.3


@pytest.mark.parametrize("is_wired", [False, True])
def test_other_units_of_the_latent_space_leave_the_classifier_as_it_was(is_wired):
    sets = [[0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 5]] if is_wired else None
    model = of(classes=2, sets=sets)
    if is_wired:
        # So that signs are turned.
        model.decoder.set_weights([-np.ones(6), np.zeros(12)])
    kernel = RANDOM.normal(size=(3, 2))
    model.classifier.set_weights([kernel, np.array([0.3, -0.3])])
    before = np.asarray(model.classifier(model.encode(ROWS)[0]))
    other = model.finished().scaled(np.array([0.5, 2.0, 3.0]))
    after = np.asarray(other.classifier(other.encode(ROWS)[0]))
    assert after == pytest.approx(before, abs=1e-5)
    assert np.abs(other.classifier.get_weights()[0] - kernel).max() > 0.1
