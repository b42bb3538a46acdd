"""The top labels of logits, found on the device that has them.

Index letters: ``i`` row, ``k`` label. Nothing here waits for the device.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

BLOCK = 1 << 23  # logits ranked at a time: bounds the memory for what is made of them, some 12 bytes each
SHIFT = 1 << 31  # keys are logits of 32 bits, and labels below
LOWEST = -(1 << 63)


class Ranked(NamedTuple):
    """The top labels of n rows of logits, tensors on one device."""

    labels: "torch.Tensor"  # int32[n, k]; by decreasing logit, ties by label
    logits: "torch.Tensor"  # float32[n, k]; theirs
    sums: "torch.Tensor"  # float32[n]; sum over all labels of exp(logit - the greatest): at least 1, or NaN
    of_targets: "torch.Tensor | None"  # float32[n]; the logit of each row's target


def top_labels(logits: "torch.Tensor", k: int, targets: "torch.Tensor | None" = None) -> Ranked:
    """The k labels with the largest logits float[n, K] of each row, and the logit of its target int64[n].

    A probability is exp(logit - greatest) / sums: log(sums) + greatest is the logsumexp, in float32. Targets outside
    [0, K) are replaced by the nearest label.
    """
    import torch

    rows = max(BLOCK // logits.shape[1], 1)
    with torch.no_grad():
        parts = [_top_of(block.detach().float(), k) for block in logits.split(rows)]
        labels, top, sums = (torch.cat(each) if len(each) > 1 else each[0] for each in zip(*parts, strict=True))
        if targets is None:
            return Ranked(labels, top, sums, None)
        places = targets.clamp(0, logits.shape[1] - 1).long().unsqueeze(1)
        return Ranked(labels, top, sums, logits.detach().gather(1, places).squeeze(1).float())


def _top_of(logits: "torch.Tensor", k: int) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """The same of a few rows of float32.

    ``topk`` orders equal values, and chooses those that are the last in, differently on each kind of device. So the
    labels that equal the k-th logit are found by a ``topk`` of their own, which meets no equal values, and those of
    both are ordered by keys that are distinct.
    """
    import torch

    n_labels = logits.shape[1]
    values, labels = torch.topk(logits, min(k + 1, n_labels), dim=1)
    if logits.device.type == "cpu" and bool((values[:, 1:] < values[:, :-1]).all()):  # to look is to wait for a device
        return labels[:, :k].to(torch.int32), values[:, :k], _sums(logits, values)
    values, labels = values[:, :k], labels[:, :k]
    last = values[:, -1:]
    backwards = torch.arange(n_labels, 0, -1, device=logits.device, dtype=torch.int32)
    level = torch.topk(torch.where(logits == last, backwards, torch.zeros_like(backwards)), k, dim=1).values
    candidates = torch.cat([labels, (n_labels - level).clamp_(max=n_labels - 1).long()], dim=1)
    is_one = torch.cat([values > last, level > 0], dim=1)
    keys = order_keys(logits.gather(1, candidates), candidates)
    chosen = torch.topk(torch.where(is_one, keys, torch.full_like(keys, LOWEST)), k, dim=1).indices
    labels = candidates.gather(1, chosen)
    top = logits.gather(1, labels)
    return labels.to(torch.int32), top, _sums(logits, top)


def _sums(logits: "torch.Tensor", top: "torch.Tensor") -> "torch.Tensor":
    return (logits - top[:, :1]).exp_().sum(dim=1)


def order_keys(logits: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
    """Keys int64 that order as the logits float32 do, and where these are equal by label, the first label highest.

    The bits of a float32 order as integers do, once those of negative numbers are inverted; -0.0 is made 0.0, its
    equal.
    """
    import torch

    bits = (logits + 0.0).view(torch.int32)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return ordered.long().mul_(SHIFT).sub_(labels)
