"""Scores made probabilities (Platt 1999): fitting, applying, and how far the outcome is from the truth."""

import math


def logit(score):
    score = min(max(score, 1e-6), 1 - 1e-6)
    return math.log(score / (1 - score))


def logistic(value):
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))


def fitted(rows):
    """(slope, offset) for (score, whether it is right), by Newton's method on the log-likelihood, in steps of at most one,
    with a little pull towards the identity."""
    slope, offset = 1.0, 0.0
    for _ in range(100):
        gradient, hessian = [0.1 * (slope - 1), 0.1 * offset], [0.1, 0.0, 0.1]
        for score, is_right in rows:
            x = logit(score)
            p = logistic(slope * x + offset)
            gradient[0] += (p - is_right) * x
            gradient[1] += p - is_right
            w = p * (1 - p)
            hessian[0] += w * x * x
            hessian[1] += w * x
            hessian[2] += w
        determinant = hessian[0] * hessian[2] - hessian[1] ** 2
        steps = ((hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
                 (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant)
        largest = max(1.0, *map(abs, steps))
        slope, offset = slope - steps[0] / largest, offset - steps[1] / largest
    return slope, offset


def calibrated(score, calibration):
    return logistic(calibration[0] * logit(score) + calibration[1])


def bins(scored, number):
    """(scores and truths of each of so many bins of equal size), by score."""
    scored = sorted(scored)
    return [scored[b * len(scored) // number:(b + 1) * len(scored) // number] for b in range(number)]


def error(scored, number):
    """Expected calibration error, of so many bins of equal size."""
    total = sum(abs(sum(s for s, _ in part) - sum(r for _, r in part)) for part in bins(scored, number))
    return total / max(1, len(scored))


def in_config(calibration):
    return {"slope": round(calibration[0], 4), "offset": round(calibration[1], 4)}
