"""Pool adjacent violators and ridge logistic regression, slow and obvious."""

from fractions import Fraction


def isotonic(confidence: list[float], right: list[bool]) -> dict[float, float]:
    """The rising step function of least squares: blocks are merged while one is higher than the next."""
    blocks: list[tuple[list[float], list[int]]] = []
    for level in sorted(set(confidence)):
        blocks.append(([level], [int(r) for c, r in zip(confidence, right, strict=True) if c == level]))
        while len(blocks) > 1 and _mean(blocks[-2][1]) >= _mean(blocks[-1][1]):
            levels, values = blocks.pop()
            blocks[-1] = (blocks[-1][0] + levels, blocks[-1][1] + values)
    return {level: float(_mean(values)) for levels, values in blocks for level in levels}


def _mean(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))
