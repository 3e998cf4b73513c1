"""Compare ways to choose a survival trial where few rows have the event; and what forests add.

    python tests/benchmarks/few_events.py
    python tests/benchmarks/few_events.py --sets breast_cancer gbsg2 whas500 veterans aids

Protocol, written before the first run. Problems to decide by are four sets of lifelines and
scikit-survival that survival.py does not use (rossi, lung, kidney, flchain) and three simulations
(80 genes, 1,000 genes, 80 genes without any effect); of each, three times, as many rows are drawn
to learn from as hold about 40 events (simulations: 120 rows, 65 % censored), and all others, at
most 400, are predicted. A search of the default families has `--seconds`; its ten best trials, the
baseline among them, are members. A trial predicts by the average of its networks of all folds, so
that nothing but the choice differs. Ways to choose, all by out-of-fold outputs:

- best: the best trial, as a run with `ensemble.size` 1 does;
- baseline: ridge Cox regression, whatever the scores;
- one_error: the baseline, unless the gain of the best trial in log partial likelihood is above one
  standard error of its paired difference over folds;
- repeated: of the five best and the baseline, the one that is best on average in the folds and two
  further foldings;
- pair: the mean of the best trial and the baseline;
- mean: the mean of all members;
- greedy: greedy selection with replacement among them, as `ensemble.size` 10 does;
- bagged: the mean shares of 20 greedy selections, each by a random half of the rows;
- forest: the best of the four default forests; with_forest: the best of those and the members.

Each is scored by the log partial likelihood an event of predicted rows (less that of equal risks;
log-risks divided by the divisor that calibrates them out of fold) and by Harrell's C. Printed: each
problem's mean, and the mean difference from `best` over problems with its standard error.

A way to choose becomes the one for fewer than 60 events if its mean difference is above one
standard error in log partial likelihood and not below 0 in C; of several, the one with the highest.
It is kept if on the sets of survival.py neither score is lower in the mean over sets. Forests
become a default family if `with_forest` is better than `best` by the same rule on those sets.
"""

import argparse
import json
import time

import lifelines.datasets
import numpy as np
import pandas as pd
import survival
from sklearn.model_selection import StratifiedKFold, train_test_split
from sksurv import datasets
from sksurv.column import encode_categorical

import autogenome_tf as ag
from autogenome_tf import search
from autogenome_tf.ensemble._average import average_of
from autogenome_tf.ensemble._selection import select
from autogenome_tf.simulation import expression
from autogenome_tf.tasks.hazards import Baseline
from autogenome_tf.tasks.survival_metrics import SurvivalRows
from autogenome_tf.training import Configuration, Plan, Trial

LIFELINES = {
    "rossi": (lifelines.datasets.load_rossi, "week", "arrest"),
    "lung": (lifelines.datasets.load_lung, "time", "status"),
    "kidney": (lifelines.datasets.load_kidney_transplant, "time", "death"),
}
SIMULATED = {
    "simulated_80": {"features": 80, "informative": 10},
    "simulated_1000": {"features": 1000, "informative": 20},
    "simulated_null": {"features": 80, "informative": 0, "interactions": 0},
}
DECISION = (*LIFELINES, "flchain", *SIMULATED)
EVENTS, MOST_PREDICTED = 40, 400
MEMBERS, REPEATED, FURTHER, BAGS = 10, 5, 2, 20
FORESTS = [
    {"max_features": share, "min_leaf": rows} for share in ("sqrt", "tenth") for rows in (1, 3)
]
NAMES = ["partial_log_likelihood", "concordance"]


def table_of(name):
    """Columns of numbers, and (rows, 2) time and event."""
    if name == "flchain":
        x, y = datasets.load_flchain()
        x = encode_categorical(
            x.drop(columns="chapter").assign(creatinine=x["creatinine"].fillna(1))
        )
        event, days = y.dtype.names
        return x.astype(float), np.stack([np.maximum(y[days], 0.5), y[event]], axis=1)
    load, days, event = LIFELINES[name]
    frame = load().dropna()
    targets = frame[[days, event]].to_numpy(float)
    return pd.get_dummies(frame.drop(columns=[days, event])).astype(float), targets


def parts_of(name, split):
    """Rows to learn from and to predict, as (frame, (rows, 2)) each."""
    if name in survival.SETS:
        x, y = survival.rows_of(name)
        event, days = y.dtype.names
        targets = np.stack([y[days], y[event]], axis=1).astype(float)
        train, test = train_test_split(np.arange(len(x)), test_size=0.25, random_state=split)
    elif name in SIMULATED:
        drawn = expression.draw(
            samples=520, task="survival", censoring=0.65, seed=split, **SIMULATED[name]
        )
        x = pd.DataFrame(drawn.values, columns=drawn.features)
        targets = np.stack([drawn.target["time"], drawn.target["event"]], axis=1).astype(float)
        train, test = np.arange(120), np.arange(120, 520)
    else:
        x, targets = table_of(name)
        count = round(EVENTS / targets[:, 1].mean())
        order = np.random.default_rng(split).permutation(len(x))
        train, test = order[:count], order[count : count + MOST_PREDICTED]
    x = x.set_axis([f"patient_{row}" for row in range(len(x))])
    return [(x.iloc[rows], targets[rows]) for rows in (train, test)]


def searched(x, targets, seconds, seed):
    """The cross-validation of a run's rows, and results of its search: the best, and forests."""
    y = pd.DataFrame(targets, x.index, ["days", "died"])
    config = {
        "name": "few", "seed": seed, "task": {"type": "survival"},
        "data": {"split": {"test": 0}}, "ensemble": {"size": MEMBERS},
    }  # fmt: skip
    session = ag.AutoGenome(config, data=(x, y))._session
    with session.as_file():
        folds = session.prepared().cross_validation
    asked = session.config
    results = [*search.search(folds, asked, session.spaces, deadline=time.monotonic() + seconds)]
    members = search.best_results(results, MEMBERS, asked.objective, asked.families)
    if all(one.trial.number for one in members):
        members[-1] = results[0]
    forests = [
        folds.judge(trial, folds.fit(Configuration("forest", trial.values), Plan(1), seed))
        for number, values in enumerate(FORESTS, 1000)
        for trial in [Trial(number, "forest", values)]
    ]
    return folds, members, forests


def scores(targets, outputs):
    """The scores of (rows, 1) calibrated log-risks."""
    baseline = Baseline.of(targets, outputs[:, 0])
    found = SurvivalRows(targets, outputs[:, 0], baseline).all(NAMES)
    return {name: float(found[name][0]) for name in NAMES}


def likelihood(folds, rows, outputs):
    """The log partial likelihood an event of some rows, less that of equal risks."""
    return scores(folds.targets[rows], outputs[rows])[NAMES[0]]


def by_one_error(folds, members, baseline):
    """The place of the baseline, unless the best gains more than an error over folds."""
    gains = [
        likelihood(folds, rows, members[0].calibrated)
        - likelihood(folds, rows, members[baseline].calibrated)
        for _, rows in folds.splits
    ]
    return 0 if np.mean(gains) > np.std(gains, ddof=1) / len(gains) ** 0.5 else baseline


def by_repeated(folds, members, baseline, seed):
    """The place of the best mean score in the folds and in others."""
    places = sorted({*range(min(REPEATED, len(members))), baseline})
    total = {place: members[place].trial.score for place in places}
    for further in range(FURTHER):
        drawn = StratifiedKFold(len(folds.splits), shuffle=True, random_state=seed + further + 1)
        splits = [*drawn.split(folds.targets, folds.targets[:, 1])]
        others = folds.with_splits(splits)
        for place in places:
            trial = members[place].trial
            plan = Plan.of(folds.settings.training, folds.settings.training.epochs)
            fit = others.fit(trial.configuration, plan, seed + further)
            total[place] += others.judge(trial, fit).trial.score
    return max(places, key=total.get)


def by_bags(folds, outputs, seed):
    """The mean shares of greedy selections by random halves of the rows."""
    random, rows = np.random.default_rng(seed), folds.validation_rows
    found = []
    for _ in range(BAGS):
        half = np.sort(random.choice(rows, len(rows) // 2, replace=False))
        found.append(select(outputs, lambda own, half=half: likelihood(folds, half, own)))
    return np.mean(found, axis=0)


def chosen(folds, members, forests, seed):
    """Yield each way to choose and its shares of members, then forests."""
    count, outputs = len(members), [one.calibrated for one in members]
    one = np.eye(count)
    baseline = next(place for place, own in enumerate(members) if own.trial.number == 0)
    ways = {
        "best": one[0],
        "baseline": one[baseline],
        "one_error": one[by_one_error(folds, members, baseline)],
        "repeated": one[by_repeated(folds, members, baseline, seed)],
        "pair": (one[0] + one[baseline]) / 2,
        "mean": one.mean(axis=0),
        "greedy": select(outputs, lambda own: likelihood(folds, folds.validation_rows, own)),
        "bagged": by_bags(folds, outputs, seed),
    }
    forest = max(range(len(forests)), key=lambda place: forests[place].trial.score)
    others = np.eye(len(forests))[forest]
    for way, shares in ways.items():
        yield way, np.concatenate([shares, 0 * others])
    yield "forest", np.concatenate([0 * one[0], others])
    is_better = forests[forest].trial.score > members[0].trial.score
    yield "with_forest", np.concatenate([(not is_better) * one[0], is_better * others])


def lines_of(name, split, seconds):
    """Yield a dict for each way to choose on a split of a set."""
    (x, targets), (others, truth) = parts_of(name, split)
    folds, members, forests = searched(x, targets, seconds, split)
    every = [*members, *forests]
    outside = np.array([
        average_of(folds, [(1.0, one.trained())]).outputs(others.to_numpy("float32"))
        for one in every
    ])  # fmt: skip
    inside = np.array([one.calibrated for one in every])
    for way, shares in chosen(folds, members, forests, split):
        own, predicted = (np.tensordot(shares, known, 1) for known in (inside, outside))
        divisor = folds.temperature(own)
        yield {
            "set": name, "split": split, "way": way, "events": int(targets[:, 1].sum()),
            "members": len(members),
            "inside": likelihood(folds, folds.validation_rows, own / divisor),
            **scores(truth, predicted / divisor),
        }  # fmt: skip


def main():
    """Score all ways to choose on splits of each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=DECISION, choices=[*DECISION, *survival.SETS])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--splits", type=int, default=3)
    asked, lines = parser.parse_args(), []
    for split in range(asked.splits):
        for name in asked.sets:
            for line in lines_of(name, split, asked.seconds):
                lines.append(line)
                print(json.dumps(line), flush=True)
    frame = pd.DataFrame(lines)
    for score in NAMES:
        table = frame.pivot_table(index=["set", "split"], columns="way", values=score, sort=False)
        gains = table.sub(table["best"], axis=0)
        shown = table.groupby(level="set", sort=False).mean()
        shown.loc["gain over best"], shown.loc["its error"] = gains.mean(), gains.sem()
        print(f"\n{score}\n{shown.round(4).to_string()}")


if __name__ == "__main__":
    main()
