"""The strategies beside plantnet in plain Python, dense and slow: every user has a number for every label.

``y[i][u]`` is the label that user u gave observation i. A strategy returns the shares of the labels of every
observation, ``{i: {k: share}}`` over the labels voted on it, the users' weights, and the labels: these are not a
function of the shares alone, as a label that was held before goes first among those tied. A model that can judge all
labels also returns their scores, ``{i: {k: score}}`` over all labels.

Models of probabilities take ``experts``: their label of an observation has all of its share, and votes there count
``weight`` times in what is learnt of users.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tests.reference import kinds as dense_kinds
from tests.reference import label_odds
from tests.reference.plantnet import SLACK, Authors, Label, Observation, Row, User, Votes, arrange

Shares = dict[Observation, dict[Label, float]]
Weights = dict[User, float]
Labels = dict[Observation, Label]


class Experts(NamedTuple):
    """Their label of some observations, and how often the votes on these count in what is learnt of users."""

    labels: Mapping[Observation, Label] = {}
    weight: float = 1.0

    def times(self, i: Observation) -> float:
        return self.weight if i in self.labels else 1.0

    def fixed(self, q: Shares) -> Shares:
        return {**q, **{i: {k: float(k == label) for k in {*q[i], label}} for i, label in self.labels.items()}}


NO_EXPERTS = Experts()
BY_EXPERT = 0.999999  # confidence and probability of experts' labels


def fit(name: str, rows: Iterable[Row], experts: Mapping[Any, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    """The consensus of cleaned votes under the strategy of a name, as plain lists and dicts."""
    y, authors = arrange(rows)
    known = NO_EXPERTS
    if experts is not None:
        known = Experts({i: label for i, label in experts.items() if i in y}, parameters["expert_weight"])
        parameters = parameters | {"experts": known}
    shares, weights, labels, *scores = STRATEGIES[name](y, authors, **parameters)
    found = verdict(y, authors, shares, weights, labels, parameters, known)
    if scores:
        found["observations"] = judged(found["observations"], y, shares, *scores, known)
        if len(all_labels(y, known)) > 1 and name != "kinds":  # where those who agree are clear, in the likelihood
            found["log_likelihood"] = log_likelihood(y, *scores, known)
    return found


# --- What all have in common ------------------------------------------------------------------------------------------


def verdict(
    y: Votes,
    authors: Authors,
    shares: Shares,
    w: Weights,
    labels: Labels,
    parameters: Mapping[str, Any],
    experts: Experts,
) -> dict[str, Any]:
    """Columns from shares, weights and labels."""
    theta_conf, theta_acc = parameters["theta_conf"], parameters["theta_acc"]
    gamma = math.fsum(w[u] for ballots in y.values() for u in ballots) / sum(map(len, y.values()))
    observations = []
    for i in sorted(y):
        label = labels[i]
        others = {k: share for k, share in shares[i].items() if k != label}
        total = math.fsum(w[u] for u in y[i])
        weight = math.fsum(w[u] for u, k in y[i].items() if k == label)
        agreement = shares[i][label]
        by_expert = i in experts.labels
        valid = by_expert or (agreement >= theta_acc - SLACK and weight >= theta_conf - SLACK)
        confidence = agreement * total / (total + gamma) if total + gamma > 0 else 0.0
        observations.append(
            {
                "observation_id": i,
                "label": label,
                "agreement": agreement,
                "margin": agreement - max(others.values()) if others else 1.0,
                "entropy": -math.fsum(p * math.log(p) for p in shares[i].values() if p > 0),
                "weight": weight,
                "confidence": BY_EXPERT if by_expert else confidence,
                "valid": valid,
                "status": "valid" if valid else "contested" if agreement < theta_acc - SLACK else "needs_votes",
                "n_votes": len(y[i]),
                "n_labels": len(set(y[i].values())),
                "runner_up": likeliest(others, y[i], authors[i]) if others else None,
            }
        )
    return {"observations": observations, "weights": w, "shares": shares}


def judged(
    observations: list[dict[str, Any]], y: Votes, q: Shares, scores: Shares, experts: Experts
) -> list[dict[str, Any]]:
    """The observations with their confidence and probability against all labels."""
    m = crowds_accuracy(y, {i: math.fsum(q[i][voted] for voted in ballots.values()) for i, ballots in y.items()})
    found = []
    for row in observations:
        i, label = row["observation_id"], row["label"]
        confidence = label_odds.confidence(scores[i], label, len(y[i]), m)
        probability = label_odds.probability(scores[i], label)
        if i in experts.labels:
            confidence = probability = BY_EXPERT
        found.append(row | {"confidence": confidence, "probability": probability})
    return found


def log_likelihood(y: Votes, scores: Shares, experts: Experts) -> float:
    """That of the votes and of the experts' labels; any label voted may be right where experts gave none."""
    possible = {i: {experts.labels[i]} if i in experts.labels else set(ballots.values()) for i, ballots in y.items()}
    return math.fsum(label_odds.log_sum([scores[i][k] for k in possible[i]]) for i in y)


def likeliest(
    shares: Mapping[Label, float], ballots: Mapping[User, Label], authors: set[User], held: Label | None = None
) -> Label:
    """The largest share; of those tied the label held, an author's, the most voted, the smallest."""
    tied = {k for k in shares if shares[k] >= max(shares.values()) * (1 - SLACK)}
    if held in tied:
        return held
    tied = tied & {ballots[u] for u in authors} or tied
    n_votes = {k: sum(voted == k for voted in ballots.values()) for k in tied}
    return min(tied, key=lambda k: (-n_votes[k], k))


def weighted(y: Votes, w: Callable[[User, Label], float]) -> Shares:
    """Each label's share of the weight; of the votes, where nobody weighs anything."""
    shares: Shares = {}
    for i, ballots in y.items():
        total = math.fsum(w(u, k) for u, k in ballots.items())
        shares[i] = {
            k: math.fsum(w(u, k) for u, voted in ballots.items() if voted == k) / total
            if total > 0
            else sum(voted == k for voted in ballots.values()) / len(ballots)
            for k in set(ballots.values())
        }
    return shares


def labels_of(y: Votes, authors: Authors, shares: Shares, held: Labels | None = None) -> Labels:
    return {i: likeliest(shares[i], y[i], authors[i], None if held is None else held[i]) for i in y}


def agreement(y: Votes, yhat: Labels) -> Weights:
    """Share of each user's votes that equal the label."""
    return {
        u: sum(ballots[u] == yhat[i] for i, ballots in y.items() if u in ballots) / n for u, n in votes_of(y).items()
    }


def votes_of(y: Votes, experts: Experts = NO_EXPERTS) -> dict[User, float]:
    users = sorted({u for ballots in y.values() for u in ballots})
    return {u: math.fsum(experts.times(i) for i, ballots in y.items() if u in ballots) for u in users}


def all_labels(y: Votes, experts: Experts = NO_EXPERTS) -> list[Label]:
    return sorted({k for ballots in y.values() for k in ballots.values()} | set(experts.labels.values()))


# --- Weighted votes ---------------------------------------------------------------------------------------------------


def majority(y: Votes, authors: Authors, **_: Any) -> tuple[Shares, Weights, Labels]:
    shares = weighted(y, lambda u, k: 1.0)
    return shares, dict.fromkeys(votes_of(y), 1.0), labels_of(y, authors, shares)


def wawa(y: Votes, authors: Authors, **_: Any) -> tuple[Shares, Weights, Labels]:
    majority = labels_of(y, authors, weighted(y, lambda u, k: 1.0))
    w = agreement(y, majority)
    shares = weighted(y, lambda u, k: w[u])
    return shares, w, labels_of(y, authors, shares, held=majority)


def zero_based_skill(
    y: Votes, authors: Authors, *, rounds: int, step_rounds: int, **_: Any
) -> tuple[Shares, Weights, Labels]:
    skill = dict.fromkeys(votes_of(y), 1 / len(all_labels(y)) + 1e-5)
    yhat = labels_of(y, authors, weighted(y, lambda u, k: skill[u]))
    for t in range(1, rounds + 1):
        target = agreement(y, yhat)
        skill = {u: skill[u] + 0.5 ** (t // step_rounds) * (target[u] - skill[u]) for u in skill}
        shares = weighted(y, lambda u, k, skill=skill: skill[u])
        yhat = labels_of(y, authors, shares, held=yhat)
    return shares, skill, yhat


def iwmv(y: Votes, authors: Authors, *, max_iter: int, **_: Any) -> tuple[Shares, Weights, Labels]:
    n_labels = len(all_labels(y))
    yhat = labels_of(y, authors, weighted(y, lambda u, k: 1.0))
    states: list[Any] = []
    for _t in range(max_iter):
        p = agreement(y, yhat)
        w = {u: max(0.0, (n_labels * p[u] - 1) / (n_labels - 1)) if n_labels > 1 else p[u] for u in p}
        shares = weighted(y, lambda u, k, w=w: w[u])
        yhat = labels_of(y, authors, shares, held=yhat)
        if (p, yhat) in states:
            break
        states.append((p, yhat))
    return shares, w, yhat


# --- Models of probabilities ------------------------------------------------------------------------------------------


def posteriors_of(
    y: Votes, log_prior: Mapping[Label, float], log_vote: Callable[..., float], experts: Experts = NO_EXPERTS
) -> Shares:
    """P(k | votes on i) over the labels voted on i; ``log_vote(i, u, l, k)`` is log P(u votes l | k)."""
    q: Shares = {}
    for i, ballots in y.items():
        score = {
            k: log_prior[k] + math.fsum(log_vote(i, u, voted, k) for u, voted in ballots.items())
            for k in set(ballots.values())
        }
        top = max(score.values())
        total = math.fsum(math.exp(s - top) for s in score.values())
        q[i] = {k: math.exp(s - top) / total for k, s in score.items()}
    return experts.fixed(q)


def scores_of(y: Votes, log_prior: Mapping[Label, float], log_vote: Callable[..., float]) -> Shares:
    """log P(k, votes on i) of all labels; an only label is held against another, as common as none."""
    if len(log_prior) == 1:
        seldom = 1 / (len(y) + 2)
        log_prior = {**dict.fromkeys(log_prior, math.log(1 - seldom)), None: math.log(seldom)}
    return {
        i: {k: p + math.fsum(log_vote(i, u, voted, k) for u, voted in ballots.items()) for k, p in log_prior.items()}
        for i, ballots in y.items()
    }


def log(p: float) -> float:
    """A probability below 1e-100 counts as that."""
    return math.log(max(p, 1e-100))


def label_prior_of(
    y: Votes, q: Shares, exponent: float, smoothing: float, experts: Experts = NO_EXPERTS
) -> dict[Label, float]:
    """P(k): an observation counts once, whoever labelled it."""
    power = {
        k: (math.fsum(q[i].get(k, 0.0) for i in y) + smoothing) ** exponent if exponent > 0 else 1.0
        for k in all_labels(y, experts)
    }
    total = math.fsum(power.values())
    return {k: log(power[k] / total) for k in power}


def crowds_accuracy(y: Votes, right: Mapping[Any, float], experts: Experts = NO_EXPERTS) -> float:
    return (math.fsum(right.values()) + 1) / (math.fsum(votes_of(y, experts).values()) + 2)


def accuracies(y: Votes, q: Shares, prior_votes: float, experts: Experts) -> tuple[Weights, float]:
    n = votes_of(y, experts)
    right = {u: math.fsum(q[i][ballots[u]] * experts.times(i) for i, ballots in y.items() if u in ballots) for u in n}
    m = crowds_accuracy(y, right, experts)
    return {u: (right[u] + prior_votes * m) / (n[u] + prior_votes) for u in n}, m


def one_coin(
    y: Votes,
    authors: Authors,
    *,
    max_iter: int,
    prior_votes: float,
    label_prior: float,
    label_smoothing: float,
    experts: Experts = NO_EXPERTS,
    **_: Any,
) -> tuple[Shares, Weights, Labels, Shares]:
    others = max(len(all_labels(y, experts)) - 1, 1)
    q = experts.fixed(weighted(y, lambda u, k: 1.0))
    yhat = labels_of(y, authors, q)
    for _t in range(max_iter):
        p, _m = accuracies(y, q, prior_votes, experts)
        log_prior = label_prior_of(y, q, label_prior, label_smoothing, experts)

        def log_vote(i: Any, u: Any, voted: Any, k: Any, p: Any = p) -> float:
            return log(p[u]) if voted == k else log((1 - p[u]) / others)

        q = posteriors_of(y, log_prior, log_vote, experts)
        yhat = labels_of(y, authors, q, held=yhat)
    return q, p, yhat, scores_of(y, log_prior, log_vote)


def logit(p: float) -> float:
    return math.log(p) - math.log1p(-p)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


class DenseConfusions:
    """P(u votes l | k) of all users and labels from the posteriors ``q``, in arrays n[u, k, l]."""

    def __init__(self, y: Votes, q: Shares, prior_votes: float, experts: Experts = NO_EXPERTS) -> None:
        self.users, self.labels = sorted(votes_of(y)), all_labels(y, experts)
        self.accuracies, self.mean = accuracies(y, q, prior_votes, experts)
        self.prior_votes = prior_votes
        self.log_prior: dict[Label, float] = {}
        n_labels = len(self.labels)
        n = np.zeros((len(self.users), n_labels, n_labels))
        for i, ballots in y.items():
            for u, voted in ballots.items():
                for k, posterior in q[i].items():
                    n[self.users.index(u), self.labels.index(k), self.labels.index(voted)] += posterior * experts.times(
                        i
                    )
        coin = np.full((n_labels, n_labels), (1 - self.mean) / max(n_labels - 1, 1))
        np.fill_diagonal(coin, self.mean)
        self.crowd = (n.sum(axis=0) + coin) / (n.sum(axis=(0, 2))[:, None] + 1)
        prior = np.array([[self.prior(u, k) for k in range(n_labels)] for u in self.users])
        whole = n.sum(axis=2, keepdims=True) + prior_votes
        self.p = np.divide(n + prior_votes * prior, whole, out=np.ones_like(n), where=whole > 0)

    def prior(self, user: User, k: int) -> Any:
        """The crowd's confusions of label number k, moved to the user."""
        if self.prior_votes == 0:
            return self.crowd[k]  # whatever it is, it does not count
        right = sigmoid(logit(self.crowd[k, k]) + logit(self.accuracies[user]) - logit(self.mean))
        prior = self.crowd[k] * (1 - right) / (1 - self.crowd[k, k])
        prior[k] = right
        return prior

    def __call__(self, user: User, voted: Label, k: Label) -> float:
        if k is None:  # another label beside an only one: nobody ever voted it
            return 1 - self.accuracies[user]
        return float(self.p[self.users.index(user), self.labels.index(k), self.labels.index(voted)])

    def scores(self, y: Votes) -> Shares:
        """Of all labels."""
        return scores_of(y, self.log_prior, lambda i, u, voted, k: log(self(u, voted, k)))


def dawid_skene(
    y: Votes,
    authors: Authors,
    *,
    max_iter: int,
    prior_votes: float,
    label_prior: float,
    label_smoothing: float,
    experts: Experts = NO_EXPERTS,
    **_: Any,
) -> tuple[Shares, Weights, Labels, Shares]:
    q, p, yhat, probability = _dawid_skene(y, authors, max_iter, prior_votes, label_prior, label_smoothing, experts)
    return q, p, yhat, probability.scores(y)


def _dawid_skene(
    y: Votes,
    authors: Authors,
    max_iter: int,
    prior_votes: float,
    label_prior: float,
    label_smoothing: float,
    experts: Experts,
) -> Any:
    q = experts.fixed(weighted(y, lambda u, k: 1.0))
    yhat = labels_of(y, authors, q)
    for _t in range(max_iter):
        probability = DenseConfusions(y, q, prior_votes, experts)
        p = probability.accuracies
        log_prior = label_prior_of(y, q, label_prior, label_smoothing, experts)
        probability.log_prior = log_prior

        def log_vote(i: Any, u: Any, voted: Any, k: Any, probability: Any = probability) -> float:
            return log(probability(u, voted, k))

        q = posteriors_of(y, log_prior, log_vote, experts)
        yhat = labels_of(y, authors, q, held=yhat)
    return q, p, yhat, probability


def wds(
    y: Votes,
    authors: Authors,
    *,
    max_iter: int,
    prior_votes: float,
    label_prior: float,
    label_smoothing: float,
    experts: Experts = NO_EXPERTS,
    **_: Any,
) -> tuple[Shares, Weights, Labels]:
    _q, p, _yhat, probability = _dawid_skene(y, authors, max_iter, prior_votes, label_prior, label_smoothing, experts)
    shares = experts.fixed(weighted(y, lambda u, k: probability(u, k, k)))
    return shares, p, labels_of(y, authors, shares)


def mace(
    y: Votes,
    authors: Authors,
    *,
    max_iter: int,
    prior_votes: float,
    guess_votes: float,
    label_prior: float,
    label_smoothing: float,
    experts: Experts = NO_EXPERTS,
    **_: Any,
) -> tuple[Shares, Weights, Labels, Shares]:
    labels, n = all_labels(y, experts), votes_of(y, experts)
    q = experts.fixed(weighted(y, lambda u, k: 1.0))
    yhat = labels_of(y, authors, q)
    theta = dict.fromkeys(n, 0.5)
    xi = {u: dict.fromkeys(labels, 1 / len(labels)) for u in n}
    for _t in range(max_iter):
        known: dict[User, list[float]] = {u: [] for u in n}
        guessed: dict[User, dict[Label, list[float]]] = {u: {k: [] for k in labels} for u in n}
        for i, ballots in y.items():
            for u, voted in ballots.items():
                guess = (1 - theta[u]) * xi[u][voted]
                by_knowledge = q[i][voted] * theta[u] / (theta[u] + guess)
                known[u].append(by_knowledge * experts.times(i))
                guessed[u][voted].append((1 - by_knowledge) * experts.times(i))
        knows = {u: math.fsum(known[u]) for u in n}
        m = crowds_accuracy(y, knows, experts)
        theta = {u: (knows[u] + prior_votes * m) / (n[u] + prior_votes) for u in n}
        xi = {
            u: {
                k: (math.fsum(guessed[u][k]) + guess_votes / len(labels)) / (n[u] - knows[u] + guess_votes)
                for k in labels
            }
            for u in n
        }
        log_prior = label_prior_of(y, q, label_prior, label_smoothing, experts)

        def log_vote(i: Any, u: Any, voted: Any, k: Any, theta: Any = theta, xi: Any = xi) -> float:
            return log(theta[u] * (voted == k) + (1 - theta[u]) * xi[u][voted])

        q = posteriors_of(y, log_prior, log_vote, experts)
        yhat = labels_of(y, authors, q, held=yhat)
    return q, theta, yhat, scores_of(y, log_prior, log_vote)


def glad(
    y: Votes,
    authors: Authors,
    *,
    max_iter: int,
    prior_mean: float,
    prior_variance: float,
    label_prior: float,
    label_smoothing: float,
    experts: Experts = NO_EXPERTS,
    **_: Any,
) -> tuple[Shares, Weights, Labels, Shares]:
    others = max(len(all_labels(y, experts)) - 1, 1)
    ability = dict.fromkeys(votes_of(y), prior_mean)
    ease = dict.fromkeys(y, prior_mean)
    q = experts.fixed(weighted(y, lambda u, k: 1.0))
    yhat = labels_of(y, authors, q)

    def s(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    def step(value: float, terms: list[tuple[float, float]]) -> float:
        gradient = math.fsum(g for g, _ in terms) - (value - prior_mean) / prior_variance
        curvature = math.fsum(c for _, c in terms) + 1 / prior_variance
        return value + min(max(gradient / curvature, -1.0), 1.0)

    for _t in range(max_iter):
        log_prior = label_prior_of(y, q, label_prior, label_smoothing, experts)
        terms_of_user: dict[User, list[tuple[float, float]]] = {u: [] for u in ability}
        for i, ballots in y.items():
            scale = math.exp(ease[i])
            for u, voted in ballots.items():
                right = s(ability[u] * scale)
                times = experts.times(i)
                terms_of_user[u].append(((q[i][voted] - right) * scale * times, right * (1 - right) * scale**2 * times))
        ability = {u: step(ability[u], terms_of_user[u]) for u in ability}
        for i, ballots in y.items():
            terms = []
            for u, voted in ballots.items():
                x = ability[u] * math.exp(ease[i])
                slope = (q[i][voted] - s(x)) * x
                terms.append((slope, s(x) * (1 - s(x)) * x**2 + max(-slope, 0.0)))
            ease[i] = min(max(step(ease[i], terms), -10.0), 4.6)

        def log_vote(i: Any, u: Any, voted: Any, k: Any, ability: Any = ability) -> float:
            x = ability[u] * math.exp(ease[i])
            return log(s(x)) if voted == k else log(s(-x) / others)

        q = posteriors_of(y, log_prior, log_vote, experts)
        yhat = labels_of(y, authors, q, held=yhat)
    weights = {u: s(ability[u] * math.exp(prior_mean)) for u in ability}
    return q, weights, yhat, scores_of(y, log_prior, log_vote)


def kinds(
    y: Votes, authors: Authors, experts: Experts = NO_EXPERTS, **parameters: Any
) -> tuple[Shares, Weights, Labels, Shares]:
    observations, users, labels = sorted(y), sorted(votes_of(y)), all_labels(y, experts)
    rows = [(observations.index(i), users.index(u), labels.index(k)) for i in y for u, k in y[i].items()]
    taken = ("max_iter", "tolerance", "prior_votes", "label_prior", "label_smoothing")
    known = np.array([labels.index(experts.labels[i]) if i in experts.labels else -1 for i in observations])
    given = {name: parameters[name] for name in taken}
    found = dense_kinds.fit(np.array(rows), known=known, expert_weight=experts.weight, **given)
    yhat: Labels | None = None
    for q in found.posteriors:
        shares = {i: {k: float(q[n, labels.index(k)]) for k in set(y[i].values())} for n, i in enumerate(observations)}
        shares = experts.fixed(shares)
        yhat = labels_of(y, authors, shares, held=yhat)
    p = dict(zip(users, found.p.tolist(), strict=True))
    scores = {i: dict(zip(labels, found.log_joint[n].tolist(), strict=True)) for n, i in enumerate(observations)}
    if len(labels) == 1:  # held against another, as common as none
        seldom = 1 / (len(y) + 2)
        for i, ballots in y.items():
            scores[i][labels[0]] += math.log(1 - seldom)
            scores[i][None] = math.log(seldom) + math.fsum(log(1 - p[u]) for u in ballots)
    return shares, p, yhat or {}, scores


STRATEGIES: dict[str, Callable[..., Any]] = {
    "majority": majority,
    "naive-soft": majority,
    "two-thirds": majority,
    "wawa": wawa,
    "zero-based-skill": zero_based_skill,
    "iwmv": iwmv,
    "one-coin": one_coin,
    "dawid-skene": dawid_skene,
    "wds": wds,
    "mace": mace,
    "glad": glad,
    "kinds": kinds,
}
