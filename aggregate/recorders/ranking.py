"""The top labels of logits, found on the device that has them.

Index letters: ``i`` row, ``k`` label. Nothing here waits for the device.
"""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

BLOCK = 1 << 23  # logits ranked at a time: bounds the memory for their keys, 8 bytes each
SHIFT = 1 << 32  # keys are logits of 32 bits, and places below


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
    import torch

    labels = torch.topk(order_keys(logits), k, dim=1).indices
    top = logits.gather(1, labels)
    sums = (logits - top[:, :1]).exp_().sum(dim=1)
    return labels.to(torch.int32), top, sums


def order_keys(logits: "torch.Tensor") -> "torch.Tensor":
    """Distinct keys int64[n, K] that order each row by logit, and equal logits by label, the first label highest.

    ``topk`` and ``sort`` order equal values differently on each kind of device, and so must not meet any. The bits of
    a float32 order as integers do, once those of negative numbers are inverted; -0.0 is made 0.0, its equal.
    """
    import torch

    bits = (logits + 0.0).view(torch.int32)
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    places = torch.arange(logits.shape[1] - 1, -1, -1, device=logits.device)
    return ordered.long().mul_(SHIFT).add_(places)
