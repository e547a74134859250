"""Scores made probabilities (Kull, Silva Filho and Flach 2017, "beta calibration"): fitting, applying, and how far the
outcome is from the truth."""

import math

PULL = 0.1  # towards the identity


def logistic(value):
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))


def evidence(score, words=1):
    """What speaks for a score's being right, what against it, one, and how long it is, where that matters."""
    score = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(score), -math.log(1 - score), 1.0, math.log(max(words, 1))


def solved(matrix, values):
    """The solution of a few linear equations, by elimination; the matrix is symmetric and positive."""
    rows = [[*row, value] for row, value in zip(matrix, values)]
    for k in range(len(rows)):
        for below in rows[k + 1:]:
            share = below[k] / rows[k][k]
            below[k:] = [b - share * a for a, b in zip(rows[k][k:], below[k:])]
    found = [0.0] * len(rows)
    for k in reversed(range(len(rows))):
        found[k] = (rows[k][-1] - sum(rows[k][j] * found[j] for j in range(k + 1, len(rows)))) / rows[k][k]
    return found


def newton(rows, free):
    """Slope, against, offset and words by Newton's method on the log-likelihood, in steps of at most one; those that are not
    in `free` are nought."""
    values = [1.0 if k in free else 0.0 for k in range(2)] + [0.0, 0.0]
    identity = list(values)
    for _ in range(100):
        gradient = [PULL * (values[k] - identity[k]) for k in free]
        hessian = [[PULL * (j == k) for j in free] for k in free]
        for x, is_right in rows:
            p = logistic(sum(v * part for v, part in zip(values, x)))
            for row, k in enumerate(free):
                gradient[row] += (p - is_right) * x[k]
                for column, j in enumerate(free):
                    hessian[row][column] += p * (1 - p) * x[k] * x[j]
        steps = solved(hessian, gradient)
        largest = max(1.0, *map(abs, steps))
        for k, step in zip(free, steps):
            values[k] -= step / largest
        if max(map(abs, steps)) < 1e-9:
            break
    return values


def fitted(rows, together=False):
    """(slope, against, offset, words) for (score, whether it is right, and perhaps the number of words). Neither slope falls below
    nought: a higher score is never the less probable one. Where there are few rows, both slopes are one together (Platt 1999)."""
    rows = [(evidence(score, *words), is_right) for score, is_right, *words in rows]
    if together:
        slope, _, offset, _ = newton([((x[0] + x[1], 0.0, 1.0, 0.0), is_right) for x, is_right in rows], (0, 2))
        return slope, slope, offset, 0.0
    free = [0, 1, 2, 3]
    while min((found := newton(rows, free))[:2]) < 0:
        free.remove(min((0, 1), key=found.__getitem__))
    return found


def calibrated(score, calibration, words=1):
    return logistic(sum(value * part for value, part in zip(calibration, evidence(score, words))))


def bins(scored, number):
    """(scores and truths of each of so many bins of equal size), by score."""
    scored = sorted(scored, key=lambda row: row[0])  # where scores are the same, in the order found
    return [scored[b * len(scored) // number:(b + 1) * len(scored) // number] for b in range(number)]


def error(scored, number):
    """Expected calibration error, of so many bins of equal size."""
    total = sum(abs(sum(row[0] for row in part) - sum(row[1] for row in part)) for part in bins(scored, number))
    return total / max(1, len(scored))


def in_config(calibration):
    """As config.json has it, without words where their number does not matter."""
    named = dict(zip(("slope", "against", "offset", "words"), (round(value, 4) for value in calibration)))
    return {name: value for name, value in named.items() if name != "words" or value}
