"""The AI's effect on each observation."""

import numpy as np

from ...ai_votes import AlignedAiVotes
from ...arrays import Flags, LabelCodes
from ...consensus import AI_EFFECTS, AiFindings


def findings_of_ai(
    ai: AlignedAiVotes, labels: LabelCodes, valid: Flags, labels_without: LabelCodes, valid_without: Flags
) -> AiFindings:
    """The AI's votes, and what would differ without them.

    A label that differs counts as relabelled, whatever else does; one that only agrees with the AI's as agreed.
    """
    effect = np.zeros(labels.size, np.uint8)
    code = {name: np.uint8(place) for place, name in enumerate(AI_EFFECTS)}
    effect[(ai.labels >= 0) & (ai.labels == labels)] = code["agreed"]
    effect[valid & ~valid_without] = code["validated"]
    effect[valid_without & ~valid] = code["invalidated"]
    effect[labels != labels_without] = code["relabelled"]
    return AiFindings(ai.labels, ai.scores, effect)
