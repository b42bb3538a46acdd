"""Toloka's zero-based skill."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..consensus import Consensus
from ..derived.thresholds import Thresholds
from ..parameters import parameter
from ..progress import Progress
from ..trace import Iteration, Trace
from ..votes import Votes
from .built_in import BuiltIn
from .parts.agreement_counts import AgreementCounter
from .parts.convergence import count_moved
from .parts.outcome import Outcome, build_consensus


@dataclass(frozen=True, repr=False)
class ZeroBasedSkill(BuiltIn, Thresholds):
    """Let each user's skill move, in ever smaller steps, towards agreement with the vote weighted by skill.

    skill(u) = 1 / K + 1e-5 at first, with K labels; in round t of ``rounds``: the labels are those of most skill, then
    skill(u) += step (share of u's votes that equal them - skill(u)), where the step is 1 at first and half of what it
    was from every ``step_rounds``-th round on. The label is the one of most skill. By that name in Toloka's crowd-kit
    (Ustalov, Pavlichenko, Tseitlin 2024, Learning from Crowds with Crowd-Kit, JOSS 9), whose defaults these are.

    Args:
        theta_conf: weight a label needs to be valid. In (0, 1e9], default 1.5.
        theta_acc: share of the weight a label needs to be valid. In (0, 1], default 0.7.
        ambiguous_below: aum below which an observation is ambiguous. In [-1, 1], default: 2 theta_acc - 1.
        ambiguous_quantile: instead: share of observations, of lowest aum, to call ambiguous. In (0, 1), default None.
        rounds: rounds of votes. In [1, 10000], default 100.
        step_rounds: rounds after which the step is halved. At least 1, default 20.
    """

    name: ClassVar[str] = "zero-based-skill"

    rounds: int = parameter(100, "rounds of votes", "in [1, 10000]")
    step_rounds: int = parameter(20, "rounds after which the step is halved", "at least 1")

    def _fit(self, votes: Votes, progress: Progress) -> Consensus:
        """Vote in rounds. Converged means that the last round changed no label."""
        progress.phase("estimate", total=self.rounds, unit="rounds")
        skills = np.full(votes.n_users, 1 / votes.n_labels + 1e-5)
        outcome, counter = Outcome(self, votes, skills), AgreementCounter(votes)
        iterations = []
        for number in range(1, self.rounds + 1):
            step = 0.5 ** (number // self.step_rounds)
            before, skills = skills, skills + step * (counter.share(outcome.labels) - skills)
            outcome.update(skills)
            users_changed = count_moved(before, skills)
            iterations.append(Iteration(outcome.labels_changed, users_changed, outcome.count_valid()))
            progress.advance()
        trace = Trace(tuple(iterations), converged=outcome.labels_changed == 0, cycle_length=0)
        return build_consensus(outcome, trace, progress)
