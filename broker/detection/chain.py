"""A linear chain over many texts at once: the chance of every label at every token, by forward-backward in numpy. Pure.

What a text gives never depends on the texts beside it: every sum is added up in one order, however many sequences run side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]

LABELS: Final = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
WINDOW: Final = 256  # tokens decoded in one piece
_OVERLAP: Final = 24  # tokens two pieces share: the chain forgets within a few
_STEADY: Final = 4  # steps between two rescalings: one changes a number by less than e^70 either way, double precision holds e^700


def marginals(scores: Floats, begins: Ints, ends: Ints, transitions: Floats) -> Floats:
    """Chances (tokens, labels) by forward-backward over the sequences [begin, end) of `scores` (tokens, labels); rows outside all are zero.

    Sequences run side by side, longest first, so that those still running at a step are a prefix. Labels are the outer axis: numpy is fast
    along the inner one, and adds up each label by itself, in one order however many sequences there are. BLAS does not, and then a text
    would depend on those beside it.
    """
    found = np.zeros(scores.shape, dtype=np.float32)
    order = np.argsort(begins - ends, kind="stable")
    begins, lengths = begins[order], (ends - begins)[order]
    steps = int(lengths[0]) if len(lengths) else 0
    running = np.searchsorted(-lengths, -np.arange(steps), side="left")  # sequences longer than each step
    after = running.cumsum()
    at = begins[np.arange(after[-1] if steps else 0) - np.repeat(after - running, running)] + np.repeat(np.arange(steps), running)  # step by step
    weight = np.ascontiguousarray(scores[at].T)
    weight = np.exp(weight - weight.max(axis=0)).astype(np.float64)
    forward = weight.copy()
    move, spare = np.exp(transitions, dtype=np.float64)[:, :, None], np.empty((2, len(LABELS), len(begins)))
    ends = after.tolist()
    before = 0
    for t, n in enumerate(running.tolist()):
        here = forward[:, ends[t] - n : ends[t]]
        if t:
            here *= _times(move, forward[:, before : before + n], spare[:, :, :n])
        if t % _STEADY == 0:
            here /= here.max(axis=0)
        before = ends[t] - n
    move = move.transpose(1, 0, 2)
    backward = np.ones((len(LABELS), len(begins)))
    for t in range(steps - 1, -1, -1):
        n = int(running[t])
        ahead, here = backward[:, :n], slice(ends[t] - n, ends[t])
        forward[:, here] *= ahead
        ahead *= weight[:, here]
        ahead[:] = _times(move, ahead, spare[:, :, :n])
        if t % _STEADY == 0:
            ahead /= ahead.max(axis=0)
    forward /= np.maximum(forward.sum(axis=0), np.finfo(np.float64).tiny)
    found[at] = forward.T
    return found


def _times(move: NDArray[np.float64], columns: NDArray[np.float64], spare: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum over k of move[k] * columns[k], in the first part of `spare`; with what stands there as room to count."""
    total: NDArray[np.float64] = spare[0]
    part = spare[1]
    np.multiply(move[0], columns[0], out=total)
    for k in range(1, len(move)):
        total += np.multiply(move[k], columns[k], out=part)
    return total


def _windows(begins: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Sequences of at most WINDOW tokens that cover the texts, with overlap where a text is cut."""
    lengths = ends - begins
    if not len(lengths) or lengths.max() <= WINDOW:
        return begins, ends
    pairs = [(b, min(b + WINDOW, e)) for begin, e in zip(begins.tolist(), ends.tolist(), strict=True) for b in _cuts(begin, e)]
    cut = np.array(pairs, dtype=np.int32)
    return cut[:, 0], cut[:, 1]


def _cuts(begin: int, end: int) -> range | tuple[int]:
    return (begin,) if end - begin <= WINDOW else range(begin, end - _OVERLAP, WINDOW - _OVERLAP)


def chances(scores: Floats, begins: Ints, ends: Ints, transitions: Floats) -> Floats:
    """As `marginals`, over texts of any length: where two windows meet, each gives the half of the overlap that is deeper inside it."""
    first, last = _windows(begins, ends)
    if first is begins:
        return marginals(scores, first, last, transitions)
    # Even windows, then odd ones: no two of a kind share a token, except across texts, where they never do.
    even, odd = marginals(scores, first[::2], last[::2], transitions), marginals(scores, first[1::2], last[1::2], transitions)
    take: NDArray[np.bool_] = np.greater(odd.sum(axis=1), even.sum(axis=1))
    for i in np.flatnonzero(first[1:] < last[:-1]).tolist():  # windows i and i+1 overlap
        middle = (int(first[i + 1]) + int(last[i])) // 2
        take[first[i + 1] : middle] = i % 2 == 1
        take[middle : last[i]] = i % 2 == 0
    return np.where(take[:, None], odd, even)
