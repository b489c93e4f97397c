#!/usr/bin/env python3
"""Metrics by scikit-learn: writes metrics.safetensors beside this file.

    python3 tests/golden/metrics/make_metrics.py

Needs numpy, scikit-learn and safetensors (the versions behind the committed file are in its
metadata). Names are CASE.WHAT: inputs, then results. scikit-learn has no concordance correlation
coefficient: it is computed in numpy by its definition, with population moments.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from sklearn import metrics

RANDOM = np.random.default_rng(0)


def classification(tensors, name, truth, predicted, classes):
    labels = range(classes)
    per_class = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0)
    tensors.update({
        f"{name}.truth": truth,
        f"{name}.predicted": predicted,
        f"{name}.matrix": metrics.confusion_matrix(truth, predicted, labels=labels),
        f"{name}.accuracy": metrics.accuracy_score(truth, predicted),
        f"{name}.balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        f"{name}.precision": per_class[0],
        f"{name}.recall": per_class[1],
        f"{name}.f1": per_class[2],
        f"{name}.support": per_class[3],
        f"{name}.macro_f1": metrics.f1_score(
            truth, predicted, labels=labels, average="macro", zero_division=0),
    })


def draws(classes, n=200, right=0.6):
    truth = RANDOM.choice(classes, n)
    return truth, np.where(RANDOM.random(n) < right, truth, RANDOM.choice(classes, n))


def multi_label(tensors):
    scores = RANDOM.random((60, 5))
    scores[0] = [0.5, 0.25, 0.5, 0.75, 0.5]  # as large as a threshold
    labels = (RANDOM.random((60, 5)) < scores).astype(np.float64)
    labels[:, 2] = 0
    scores[:, 2] *= 0.25  # neither there nor predicted
    thresholds = np.array([0.5, 0.25, 0.375, 0.75, 0.5])
    mask = RANDOM.random(60) < 0.7

    def f1(rows, of_unit):
        return metrics.f1_score(
            labels[rows], scores[rows] >= of_unit, average=None, zero_division=0)

    tensors.update({
        "multi_label.scores": scores, "multi_label.labels": labels,
        "multi_label.thresholds": thresholds, "multi_label.mask": mask,
        "multi_label.f1_half": f1(slice(None), 0.5),
        "multi_label.f1_thresholds": f1(slice(None), thresholds),
        "multi_label.f1_masked": f1(mask, thresholds),
    })


def ccc(x, y):
    covariance = np.mean((x - x.mean()) * (y - y.mean()))
    return 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)


def regression(tensors, name, x, y):
    tensors.update({
        f"{name}.x": x,
        f"{name}.y": y,
        f"{name}.mse": metrics.mean_squared_error(y, x),
        f"{name}.rmse": metrics.root_mean_squared_error(y, x),
        f"{name}.mae": metrics.mean_absolute_error(y, x),
        f"{name}.pearson": np.corrcoef(x, y)[0, 1],
        f"{name}.ccc": ccc(x, y),
    })


def affect(tensors):
    """Eight and seven classes: the latter without rows and output of class 1, Contempt."""
    n, contempt = 120, 1
    outputs = RANDOM.normal(size=(n, 10)).astype(np.float32)
    labels = RANDOM.integers(0, 8, n)
    outputs[np.arange(n), labels] += 1
    valence, arousal = RANDOM.uniform(-1, 1, (2, n)).astype(np.float32)
    known, has_va = RANDOM.random(n) < 0.8, RANDOM.random(n) < 0.8
    rest = known & (labels != contempt)
    seven = np.delete(outputs[rest, :8], contempt, axis=1).argmax(1)
    tensors.update({
        "affect.outputs": outputs, "affect.labels": labels, "affect.known": known,
        "affect.valence": valence, "affect.arousal": arousal, "affect.has_va": has_va,
    })
    classification(tensors, "affect.eight", labels[known], outputs[known, :8].argmax(1), 8)
    classification(tensors, "affect.seven", labels[rest] - (labels[rest] > contempt), seven, 7)
    for i, (task, truth) in enumerate((("valence", valence), ("arousal", arousal))):
        regression(tensors, f"affect.{task}_scores", outputs[has_va, 8 + i].astype(np.float64),
                   truth[has_va].astype(np.float64))


def main():
    tensors = {}
    classification(tensors, "all", *draws([0, 1, 2, 3]), 4)
    truth, predicted = draws([0, 2, 3])
    predicted[predicted == 2] = 4
    classification(tensors, "absent", truth, predicted, 6)  # 1, 5: nowhere; 2: never predicted
    classification(tensors, "binary", *draws([0, 1]), 2)
    multi_label(tensors)
    truth = RANDOM.uniform(-1, 1, 300)
    regression(tensors, "close", 0.7 * truth + RANDOM.normal(0, 0.3, 300) + 0.1, truth)
    regression(tensors, "opposed", -0.2 * truth + 3, truth)
    affect(tensors)
    metadata = {name: version(name) for name in ("numpy", "scikit-learn", "safetensors")}
    out = Path(__file__).resolve().parent / "metrics.safetensors"
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, out,
              metadata=metadata)
    print(f"{len(tensors)} tensors, {out.stat().st_size} bytes -> {out}")


if __name__ == "__main__":
    main()
