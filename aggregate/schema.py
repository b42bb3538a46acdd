"""Every table that is read or written, column by column.

The reader, the writer, the documentation and the tests all take names, types and meanings from here. A type is
an Arrow type name, or one of ``id`` (any integer or string), ``label`` (string or integer), ``name`` (a string,
stored as a dictionary).
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, type, meaning, and whether it may be absent or null."""

    name: str
    type: str
    meaning: str
    optional: bool = False
    nullable: bool = False
    # How its values are made, in the metadata of the column in a file: another one, another meaning.
    scheme: str | None = None


Table: TypeAlias = tuple[Column, ...]

VOTES: Table = (
    Column("observation_id", "id", "what was voted on"),
    Column("user_id", "id", "who voted"),
    Column("label", "label", "the species voted; null or blank withdraws the user's earlier vote", nullable=True),
    Column("is_author", "bool", "the voter took the pictures of this observation", optional=True, nullable=True),
    Column("voted_at", "timestamp", "when", optional=True, nullable=True),
)

USER_WEIGHTS: Table = (
    Column("user_id", "id", "whose weight is set"),
    Column("fixed_weight", "float64", "replaces the estimated weight; 0 silences", optional=True, nullable=True),
    Column("min_weight", "float64", "a floor under the estimated weight", optional=True, nullable=True),
)

CONSENSUS: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "consensus label"),
    Column("confidence", "float64", "share the label would keep if one unknown user dissented, in (0, 1)"),
    Column("valid", "bool", "may be used for training"),
    Column("status", "name", "`valid`, `contested` or `needs_votes`"),
    Column("ambiguous", "bool", "the area under the margin is below the threshold"),
    Column("aum", "float64", "area under the margin: margin averaged over the iterations, in [-1, 1]"),
    Column("margin", "float64", "agreement less the share of the strongest other label"),
    Column("agreement", "float64", "share of the weight that is on the label"),
    Column("weight", "float64", "weight on the label"),
    Column("entropy", "float64", "Shannon entropy of the labels' shares of weight, in nats"),
    Column("n_votes", "int32", "cleaned votes"),
    Column("n_labels", "int32", "distinct labels voted"),
    Column("runner_up", "label", "strongest other label, null if there is none", nullable=True),
)

BY_EXPERT: Table = (
    Column("by_expert", "bool", "experts gave the label, which the estimate held fixed: with `--experts` only"),
)
"""What experts' labels add to the consensus."""

PROBABILITY: Table = (
    Column(
        "probability",
        "float64",
        "that the label is right, in (0, 1): by the file of `--calibration`, else by the model of `dawid-skene`, "
        "`kinds`, `one-coin`, `mace` and `glad`; other strategies have none",
    ),
)
"""What a calibration adds to the consensus, or a strategy that models how votes come about."""

POSTERIORS: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "a label voted on the observation, or the experts'"),
    Column(
        "share", "float64", "its share, of 1 on each observation: of the weight, or its posterior among these labels"
    ),
)

USERS: Table = (
    Column("user_id", "id", "as in the votes"),
    Column("weight", "float64", "final weight"),
    Column("n_species", "int32", "species that count: authored, and a tenth of those voted"),
    Column("n_species_author", "int32", "species of the user's own valid observations"),
    Column("n_species_vote", "int32", "further species voted correctly on others' observations"),
    Column("n_votes", "int32", "cleaned votes"),
    Column("n_authored", "int32", "cleaned votes on the user's own observations"),
    Column("agreement_rate", "float64", "share of the user's votes that equal the consensus"),
    Column("self_validating", "bool", "the weight alone reaches theta_conf"),
)

USER_AGREEMENT: Table = (
    Column("n_shared", "int32", "cleaned votes where others voted too"),
    Column(
        "spam_score",
        "float64",
        "disagreement with the consensus where others voted too, against that of random votes: 0 never disagrees, "
        "1 as a spammer would; null if undefined",
        nullable=True,
    ),
    Column("label_entropy", "float64", "Shannon entropy of the labels the user voted, in nats; 0 for one label alone"),
)
"""What a run adds to the users."""

REJECTED: Table = (
    Column("file", "string", "path of the file the row is in"),
    Column("row", "int64", "position of the row in its file, from 0"),
    Column("reason", "name", "why the row cannot be used"),
    Column("observation_id", "id", "as in the votes", nullable=True),
    Column("user_id", "id", "as in the votes", nullable=True),
    Column("label", "label", "as in the votes", nullable=True),
)

REJECTED_RECORDS: Table = (
    Column("table", "string", "the table that it would be a row of: `votes`, `truth`, ..."),
    Column("file", "string", "path of the file it is in"),
    Column("unit", "string", "what the format counts: `line`, `record`, ..."),
    Column("number", "int64", "which one, from 1"),
    Column("reason", "string", "why it cannot be used"),
    Column("observation_id", "id", "as text, if it is known", nullable=True),
    Column("user_id", "id", "as text, if it is known", nullable=True),
    Column("label", "label", "as text, if it is known", nullable=True),
    Column("text", "string", "the record as it stands in the file, or its beginning", nullable=True),
)
"""Records of another format that cannot be used."""

_OF_RECORDS = {column.name: replace(column, nullable=True) for column in REJECTED_RECORDS}

REJECTED_OF_FORMAT: Table = (
    *(replace(column, nullable=column.nullable or column.name == "row") for column in REJECTED),
    *(_OF_RECORDS[name] for name in ("unit", "number", "text")),
)
"""Rejected rows of a run with `--from`: a record of the files has no `row`, but a `unit`, a `number` and a `text`."""

TRUTH: Table = (Column("observation_id", "id", "as in the votes"), Column("label", "label", "the species it is"))

EVIDENCE: Table = (
    *(replace(column, nullable=column.name == "label") for column in CONSENSUS[:2]),
    *(
        replace(column, optional=True)
        for column in CONSENSUS[2:]
        if column.name not in ("status", "ambiguous", "entropy")
    ),
    replace(PROBABILITY[0], optional=True),
    replace(BY_EXPERT[0], optional=True),
)
"""What is evaluated against experts: a label of each observation, and what else a consensus says of it."""

MEASURES: Table = (
    Column("accuracy", "float64", "valid and labelled right, of all: an observation that is not valid counts as wrong"),
    Column("accuracy_of_valid", "float64", "labelled right, of the valid ones"),
    Column("accuracy_of_labels", "float64", "labelled right, valid or not"),
    Column("macro_precision", "float64", "mean over the experts' species: right, of the valid ones with that label"),
    Column(
        "macro_recall", "float64", "mean over the experts' species: valid and right, of those that are that species"
    ),
    Column("species_retrieved", "float64", "share of the experts' species with an observation that is valid and right"),
    Column("kept", "float64", "valid, of all"),
    Column("calibration_error", "float64", "expected calibration error of `confidence`, valid or not, in 15 bins"),
    Column("risk_coverage_area", "float64", "error rate of the most confident labels, averaged over how many are kept"),
    Column("probability_calibration_error", "float64", "as `calibration_error`, of `probability`", optional=True),
    Column("probability_risk_coverage_area", "float64", "as `risk_coverage_area`, by `probability`", optional=True),
)
"""What `evaluate` measures on a set of expert observations."""

EVALUATION: Table = (
    Column("grouped_by", "string", "what tells the sets apart: `subset`, or `n_votes`, the number of votes"),
    Column("subset", "string", "which expert observations"),
    Column("observations", "int64", "how many they are"),
    Column("measure", "string", "name of the measure"),
    Column("value", "float64", "its value, null if it is undefined", nullable=True),
    Column("low", "float64", "lower end of its 95 % interval", nullable=True),
    Column("high", "float64", "upper end", nullable=True),
)
"""What ``evaluate --csv`` prints: a row for each set of expert observations and measure."""

SET_MEASURES: Table = (
    Column("marginal_coverage", "float64", "share of the observations whose set has the true label"),
    Column("macro_coverage", "float64", "mean over the true labels: covered, of the observations of the label"),
    Column("weighted_macro_coverage", "float64", "the same mean, weighted by the weights of the labels", optional=True),
    Column("at_risk_coverage", "float64", "the same mean over the labels at risk", optional=True),
    Column("not_at_risk_coverage", "float64", "the same mean over the other labels", optional=True),
    Column("share_below_half", "float64", "share of the true labels with a coverage below 1/2"),
    Column("share_at_most_half", "float64", "share of the true labels with a coverage of at most 1/2"),
    Column("undercoverage_gap", "float64", "mean over the true labels of max(1 - alpha - coverage, 0)"),
    Column(
        "undercoverage_gap_research_code",
        "float64",
        "the sum of the same, divided by the size of the label space less 1, as in the published code",
    ),
    Column("mean_size", "float64", "mean number of labels in a set"),
    Column("size_q25", "float64", "1/4 quantile of the numbers of labels"),
    Column("median_size", "float64", "median number of labels"),
    Column("size_q75", "float64", "3/4 quantile"),
    Column("size_q90", "float64", "9/10 quantile"),
    Column("empty", "float64", "share of the observations whose set has no label"),
    Column("singletons", "float64", "share of the observations whose set has one label"),
    Column("whole_space", "float64", "share of the observations whose set has all labels"),
)
"""Measures of prediction sets; a label counts in means over labels if an observation that is evaluated has it."""

TAXON_MEASURES: Table = (
    Column("genus_coverage", "float64", "share of the observations whose set has a label of the true label's genus"),
    Column("family_coverage", "float64", "of its family"),
    Column("common_taxon", "float64", "share of the observations whose set has a common taxon"),
    Column("common_taxon_coverage", "float64", "of these, those whose true label is, or is below, the common taxon"),
    Column("mean_genera", "float64", "mean number of genera in a set"),
)
"""Measures of what the labels of sets have in common; where a taxon is not known, an observation does not count."""

SET_EVALUATION: Table = (
    Column("alpha", "float64", "level of the sets: coverage is to be 1 - alpha"),
    Column("observations", "int64", "how many were evaluated"),
    Column("labels", "int64", "how many true labels they have: means over labels are over these"),
    Column("measure", "string", "name of the measure"),
    Column("value", "float64", "its value, null if it is undefined", nullable=True),
    Column("low", "float64", "lower end of its 95 % interval", nullable=True),
    Column("high", "float64", "upper end", nullable=True),
)
"""What ``conformal evaluate --csv`` prints: a row for each level and measure."""

SET_COMPARISON: Table = (
    Column("method", "string", "score and threshold rule, with their options"),
    Column("alpha", "float64", "level of the sets: coverage is to be 1 - alpha", nullable=True),
    Column(
        "guarantee",
        "string",
        "coverage that is guaranteed for exchangeable rows; null for none, `nearly` where the prior is of these rows",
        nullable=True,
    ),
    Column("fault", "string", "why the method cannot be used, all that follows is then null", nullable=True),
    Column("calibration_rows", "int64", "observations that it was fitted on; in the first of several splits"),
    Column("observations", "int64", "how many were evaluated; in the first of several splits", nullable=True),
    Column("labels", "int64", "how many true labels they have: means over labels are over these", nullable=True),
    *(
        replace(column, name=f"{column.name}{end}", meaning=meaning or column.meaning, optional=False, nullable=True)
        for column in SET_MEASURES
        for end, meaning in (
            ("", ""),
            ("_low", "lower end of its 95 % interval; over several splits, the lowest value"),
            ("_high", "upper end; the highest value"),
        )
    ),
)
"""What `compare-sets` writes: a row for each method and level."""

LABEL_COVERAGE: Table = (
    Column("alpha", "float64", "level of the sets: coverage is to be 1 - alpha"),
    Column("label", "label", "a true label of the observations"),
    Column("in_label_space", "bool", "whether the classifier may name it; otherwise no set can be expected to have it"),
    Column(
        "prior_count",
        "float64",
        "how often it is in what its prior was counted in, such as the training set; null if it is not known",
        nullable=True,
    ),
    Column("at_risk", "bool", "whether it is at risk; null if no such labels were given", nullable=True),
    Column("rows", "int64", "observations of the label"),
    Column("covered", "int64", "of these, those whose set has the label"),
    Column("coverage", "float64", "share of these"),
    Column("mean_size", "float64", "mean number of labels in their sets"),
)
"""What ``conformal evaluate --per-label`` writes: a row for each level and true label."""

COMPARISON: Table = (
    Column("strategy", "string", "name of the strategy, or of the labels"),
    Column("subset", "string", "which expert observations"),
    Column("observations", "int64", "how many they are"),
    Column(
        "seconds",
        "float64",
        "that fitting the strategy took, once its kernels are compiled and the disputed observations listed; null, as "
        "the two that follow, for labels found elsewhere",
        nullable=True,
    ),
    Column("iterations", "int64", "of the strategy; 1 if it does not iterate", nullable=True),
    Column("converged", "bool", "whether they came to an end by themselves", nullable=True),
    *(
        replace(column, name=f"{column.name}{end}", meaning=meaning or column.meaning, nullable=True)
        for column in MEASURES
        if not column.optional
        for end, meaning in (("", ""), ("_low", "lower end of its 95 % interval"), ("_high", "upper end"))
    ),
)
"""What `compare` writes: a row for each strategy and set of expert observations."""

EXPERT_COMPARISON: Table = (
    COMPARISON[0],
    Column("with_experts", "bool", "whether it was fitted with the experts' labels of the other folds"),
    *(
        Column(f"{name}{end}", "float64", meaning if end == "" else interval, nullable=True)
        for name, meaning in (
            (
                "behind_best",
                "`accuracy_of_labels` of the best less this one's, 0 for the best; null, as the nine that follow, "
                "except for all expert observations",
            ),
            (
                "gain",
                "`accuracy_of_labels` less that of the same strategy without experts' labels; null in rows without",
            ),
            (
                "accuracy_gain",
                "`accuracy` less that of the same strategy without experts' labels; null in rows without",
            ),
        )
        for end, interval in (("", ""), ("_low", "lower end of its 95 % interval"), ("_high", "upper end"))
    ),
    Column(
        "worse_than_best",
        "bool",
        "whether the observations tell it from the best: `behind_best_low` is above 0, and a sign test agrees",
        nullable=True,
    ),
    *COMPARISON[1:],
)
"""What `compare --experts` writes: a row for each strategy, without experts' labels and with, and set of them."""

USER_AI: Table = (
    Column("n_ai_votes", "int32", "cleaned votes on observations the AI votes on, too", optional=True),
    Column("ai_agreement", "float64", "share of these that name the AI's label", optional=True, nullable=True),
    Column(
        "expected_ai_agreement",
        "float64",
        "how often the AI is right on the labels of these observations",
        optional=True,
        nullable=True,
    ),
    Column(
        "parrot_score",
        "float64",
        "share of the votes that look copied from the AI, in [0, 1); 0 where little is known of the user",
        optional=True,
    ),
)
"""Further columns of users.parquet, where AI votes are given."""

AI_FINDINGS: Table = (
    Column("ai_label", "label", "the label the AI names, null if it has no vote", optional=True, nullable=True),
    Column("ai_score", "float64", "the AI's score of that label, in [0, 1]", optional=True, nullable=True),
    Column(
        "ai_effect",
        "name",
        "what would differ without the AI: `relabelled`, `validated`, `invalidated`; else `agreed` or `none`",
        optional=True,
    ),
)
"""Further columns of consensus.parquet, where AI votes are given."""

TRAINING_COUNTS: Table = (
    Column("label", "label", "a label of the classifier's training set"),
    Column("count", "int64", "how often it is in that set"),
)
"""How common labels are to a classifier."""

SCORE_LISTS: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("epoch", "integer", "of the training, the largest the last; without it there is one epoch", optional=True),
    Column("labels", "labels", "the labels with the largest probabilities, in any order"),
    Column("probabilities", "shares", "theirs, in [0, 1]"),
)
"""A classifier's scores, a row for each observation and epoch."""

RECORDED_SCORES: Table = (*SCORE_LISTS, Column("tail", "float32", "probability of all labels that are not listed"))
"""What a recorder writes while a classifier is trained."""

SCORE_ROWS: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("epoch", "integer", "of the training, the largest the last; without it there is one epoch", optional=True),
    Column("label", "label", "one of the labels with the largest probabilities"),
    Column("probability", "float64", "its probability, in [0, 1]"),
)
"""The same, a row for each label; the rows of one observation and epoch stand together."""

AMBIGUITY: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "consensus label", nullable=True),
    Column("score_aum", "float64", "AUM of the label, margin `second`", nullable=True),
    Column("aumc", "float64", "AUM of the majority's label, margin `second`", nullable=True),
    Column("waum", "float64", "AUM of the labels voted, weighted by trust, margin `second`", nullable=True),
    Column("score_aum_other", "float64", "as `score_aum`, margin `other`", nullable=True),
    Column("aumc_other", "float64", "as `aumc`, margin `other`", nullable=True),
    Column("waum_other", "float64", "as `waum`, margin `other`", nullable=True),
    Column(
        "score_aum_logits",
        "float64",
        "as `score_aum_other`, of logits instead of probabilities; null where a list lacks the label or any other",
        nullable=True,
    ),
    Column("n_epochs", "int32", "epochs with usable scores; with 0 the others are null"),
    Column("exact", "bool", "`score_aum` and `aumc` do not depend on labels that a list left out", nullable=True),
    Column("waum_exact", "bool", "nor does `waum`", nullable=True),
    Column("trust", "name", "what weighs the voters in `waum`: `confusion` or `weight`", nullable=True),
    Column("pruned", "bool", "WAUM below its alpha-quantile: better left out of the training"),
)

SCORED: Table = (
    *(
        replace(column, meaning=f"{column.meaning}; with `--scores` only")
        for column in AMBIGUITY
        if column.name in ("score_aum", "aumc", "waum", "pruned")
    ),
)
"""What a classifier's scores add to the consensus."""

DIGEST: Table = (
    Column(
        "votes_digest",
        "uint32",
        "a hash of the observation's cleaned votes: another one where they are others; 0 without votes",
        scheme="2",  # under the first, which had none, 0 hid votes
    ),
)
"""What a run adds to the consensus, so that the next can tell why a label changed."""

CHANGES: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("old_label", "label", "label in the run before, null if the observation was not there", nullable=True),
    Column("new_label", "label", "label in this run, null if the observation is gone", nullable=True),
    Column("old_status", "name", "status in the run before", nullable=True),
    Column("new_status", "name", "status in this run", nullable=True),
    Column(
        "why",
        "name",
        "`votes`: its votes are others; else `experts`: experts gave it another label, or one in only one of the runs; "
        "else `ai`: another vote of the AI counts; else `settings`: the strategy, a parameter or the version is "
        "another; else `weights`: users' weights moved. Null if the runs do not tell",
        nullable=True,
    ),
)
"""Observations whose label or status differs from the previous run."""

SNAPSHOT: Table = (
    *(replace(c, nullable=True) for c in CONSENSUS if c.name in ("observation_id", "label", "status")),
    replace(DIGEST[0], optional=True),
    *(c for c in AI_FINDINGS if c.name in ("ai_label", "ai_score")),
    replace(BY_EXPERT[0], optional=True),
)
"""What a consensus must say to be compared with another."""

RUNS: Table = (
    Column("run_id", "string", "name of the run"),
    Column("state", "string", "`published`, `kept` or `held`; with `, damaged` if its run.json cannot be read"),
    Column("name", "string", "`latest`, the published one, or `previous`, before it; null for others", nullable=True),
    Column("strategy", "string", "as in its run.json, as all that follows", nullable=True),
    Column("observations", "int64", "how many it labelled", nullable=True),
    Column("valid", "int64", "how many of them are valid", nullable=True),
    Column("label_changed", "int64", "how many have another label than in the run before", nullable=True),
    Column("held", "string", "why it was held back; null if it was not", nullable=True),
)
"""What ``runs --csv`` prints: a row for each run."""

CALIBRATION: Table = (
    Column("method", "string", "a method; `probability` or `confidence` as it is; or `share right`, the same for all"),
    Column("log_loss", "float64", "on held out observations, best at 0"),
    Column("brier_score", "float64", "likewise"),
    Column("calibration_error", "float64", "likewise"),
    Column("saved", "bool", "whether it is the method that was saved"),
)
"""What ``calibrate --csv`` prints: a row for each method."""

AI_CALIBRATION: Table = (
    Column("subset", "string", "which expert observations"),
    Column("observations", "int64", "how many they are"),
    Column("right", "int64", "how many of them the AI labels right"),
    Column("scores", "string", "`before` or `after` calibration, by the other folds"),
    Column("calibration_error", "float64", "best at 0"),
    Column("log_loss", "float64", "likewise"),
    Column("brier_score", "float64", "likewise"),
)
"""What ``calibrate-ai --csv`` prints: two rows for each set of expert observations."""

TRAINING: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "consensus label, one of the classes"),
    Column("class_index", "int64", "position of the label among the classes, from 0"),
    Column("genus", "string", "null if it is not known", nullable=True),
    Column("split", "string", "`train`, `validation` or `test`"),
    Column("sample_weight", "float64", "`probability` if the run has it, else `confidence`"),
    *(c for c in CONSENSUS if c.name in ("confidence", "ambiguous", "aum", "margin", "agreement", "n_votes")),
    replace(PROBABILITY[0], optional=True),
    replace(BY_EXPERT[0], optional=True),
    *(replace(c, optional=True) for c in SCORED),
    Column("soft_labels", "labels", "the labels voted, by label", optional=True),
    Column("soft_shares", "shares", "the share of each, which add up to 1", optional=True),
    Column("soft_classes", "indices", "the class index of each, -1 for a label that is no class", optional=True),
)
"""A row for each observation that can be trained or tested on, sorted by id."""

CLASSES: Table = (
    Column("class_index", "int64", "position among the classes, from 0, in the order of the labels"),
    Column("label", "label", "as in the votes"),
    Column("name", "string", "that of the taxonomy, if one is given; else the label as text"),
    Column("genus", "string", "null if it is not known", nullable=True),
    Column("n_train", "int64", "observations in the training set"),
    Column("n_validation", "int64", "in the validation set"),
    Column("n_test", "int64", "in the test set"),
    Column(
        "weight_inverse_frequency",
        "float64",
        "N / (K n): N training observations, K classes, n of them of this one; null without one",
        nullable=True,
    ),
    Column(
        "weight_square_root",
        "float64",
        "1 / sqrt(n), times what makes the mean over classes 1 [Mahajan et al. 2018]",
        nullable=True,
    ),
    Column(
        "weight_effective_number",
        "float64",
        "(1 - beta) / (1 - beta^n), times what makes the mean over classes 1 [Cui et al. 2019]",
        nullable=True,
    ),
    Column("log_prior", "float64", "log(n / N), to adjust logits by [Menon et al. 2021]", nullable=True),
)
"""A row for each class."""

EXCLUDED: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "consensus label", nullable=True),
    Column("reason", "name", "why the observation is left out: the first reason that applies"),
)
"""A row for each observation that is left out."""

SPLIT_ROWS: Table = tuple(c for c in TRAINING if c.name in ("observation_id", "label", "class_index", "genus", "split"))
"""A row for each observation of a subset that is in a set, sorted by id."""

LABEL_COUNTS: Table = (
    Column("label", "label", "consensus label of an observation, valid or not"),
    Column("genus", "string", "null if it is not known", nullable=True),
    Column("before", "int64", "its valid observations"),
    Column("eligible", "int64", "those that would be used without genus sampling; 0 if it would be no class"),
    Column("after", "int64", "those that are used; 0 if it is no class"),
)
"""A row for each label: the populations before, between and after sampling."""

POPULATIONS: Table = (
    Column("figure", "string", "what is counted or measured"),
    Column("before", "number", "of the labels with a valid observation", nullable=True),
    Column("eligible", "number", "of those that would be classes without genus sampling", nullable=True),
    Column("after", "number", "of the classes", nullable=True),
    Column("plantnet_300k", "number", "of Pl@ntNet-300K, as far as it is published", nullable=True),
)
"""What ``subset --csv`` prints: a row for each figure of the populations."""

AMBIGUITY_COUNTS: Table = (
    Column("which", "string", "`scored`, `exact`, `missing_epochs` or `pruned`"),
    Column("observations", "int64", "how many they are"),
    Column("share", "float64", "of all observations"),
)
"""What ``ambiguity --csv`` prints."""

MARGINALS: Table = (
    Column("marginal", "string", "what is counted"),
    Column("published", "number", "in the published data, times the scale if it is a count"),
    Column("reached", "number", "in the simulation"),
)
"""What ``simulate --csv`` prints."""

CONVERSION: Table = (
    Column("table", "string", "the table that the records are for"),
    Column("outcome", "string", "`read`, `used`, `left out` or `rejected`; `rows`, those that were written"),
    Column("reason", "string", "why they were left out or rejected", nullable=True),
    Column("records", "int64", "how many they are"),
)
"""What ``convert --csv`` prints: the counts of each table's records."""

PATHS: Table = (
    Column("command", "string", "the table of the configuration"),
    Column("setting", "string", "its key"),
    Column("path", "string", "absolute; without the secrets of a URI"),
    Column("file", "string", "the configuration; null for a default", nullable=True),
    Column("line", "int64", "its line there", nullable=True),
    Column("state", "string", "what is there, or what is wrong"),
    Column("files", "int64", "how many files are read; null for what is written, and in object stores", nullable=True),
    Column("usable", "bool", "whether nothing is wrong"),
)
"""What ``config --csv`` prints: a row for each path."""

SHOWN_SETTINGS: Table = (
    Column("setting", "string", "its key in a configuration"),
    Column("value", "string", "as TOML; null if it is not set", nullable=True),
    Column("file", "string", "the configuration that sets it; null for a default", nullable=True),
    Column("line", "int64", "its line there", nullable=True),
)
"""What ``config --show --csv`` prints: a row for each setting of a command."""

GENERA: Table = (
    Column("label", "label", "a label, as in the votes"),
    Column("genus", "string", "its genus", optional=True, nullable=True),
    Column("name", "string", "its scientific name, where the label is another", optional=True, nullable=True),
    Column("parent", "label", "the taxon above it", optional=True, nullable=True),
    Column("rank", "string", "`species`, `genus`, ...", optional=True, nullable=True),
)
"""What labels are called, and to which genera they belong: a table of these, or a taxonomy."""

CLEANED_LABELS: Table = (
    Column("verbatim", "string", "a label as it stands in the input"),
    Column("label", "string", "what it counts as; null for no opinion", nullable=True),
    Column(
        "outcome",
        "name",
        "`merged`, if other labels count as the same; else `changed`; `refused`; or `kept`, for a homonym that the "
        "synonyms do not decide",
    ),
    Column("reason", "string", "the rules that changed it, or why it was refused or kept"),
    Column("votes", "int64", "rows of votes with it"),
    Column("ai_votes", "int64", "rows of the AI's votes with it"),
    Column(
        "truth", "int64", "rows of experts' labels with it; only where these were converted, or used", optional=True
    ),
)
"""Outcomes of the labels that were cleaned as names; labels that are not in it are as they stand."""

TAXONOMY: Table = (
    Column("label", "label", "a taxon, as in the votes"),
    Column("parent", "label", "the taxon above it, null for a root", nullable=True),
    Column("rank", "string", "`species`, `genus`, ...", nullable=True),
    Column("name", "string", "its scientific name, where the label is another", optional=True, nullable=True),
)
"""The tree of taxa, a row for each."""

PREDICTION_SETS: Table = (
    Column("observation_id", "id", "as in the scores"),
    Column("labels", "labels", "the labels of the set that the classifier lists, in descending order of score"),
    Column("probabilities", "shares", "the classifier's probability of each"),
    Column("scores", "shares", "the conformity score of each"),
    Column("size", "int32", "labels of the set, also those that the classifier does not list"),
    Column("whole_space", "bool", "the set is all labels: it says nothing"),
    Column("empty", "bool", "the set has no label"),
)
"""Prediction sets, a row an observation."""

COMMON_TAXA: Table = (
    Column("common_taxon", "label", "the smallest taxon that all labels of the set are or are below", nullable=True),
    Column("common_rank", "string", "its rank: `species`, `genus`, ...", nullable=True),
    Column("common_name", "string", "its scientific name", nullable=True),
    Column("n_genera", "int32", "genera that the labels are in", nullable=True),
    Column("n_families", "int32", "families that the labels are in", nullable=True),
)
"""What a prediction set has in common; null where there is nothing, or where a label is not in the taxonomy."""

IMAGES: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("image", "string", "path of a picture of it, relative to the folder of this table, or URL"),
)
"""The pictures of observations, a row each."""

AI_VOTES: Table = (
    Column("observation_id", "id", "as in the votes"),
    Column("label", "label", "the species the model names first"),
    Column("score", "float64", "the model's score of that species, in [0, 1]"),
)


def arrow_schema(table: Table, **given: "pa.DataType") -> "pa.Schema":
    """The Arrow schema of ``table``; ``given`` types the ``id``, ``label`` and ``labels`` columns, by column name.

    >>> import pyarrow as pa
    >>> arrow_schema(TRUTH, observation_id=pa.int64(), label=pa.string()).names
    ['observation_id', 'label']
    """
    import pyarrow as pa

    named = {
        "name": pa.dictionary(pa.int8(), pa.string()),
        "bool": pa.bool_(),
        "timestamp": pa.timestamp("us"),
        "shares": pa.list_(pa.float64()),
        "indices": pa.list_(pa.int64()),
    }
    fields = []
    for column in table:
        if column.type in ("id", "label", "labels"):
            arrow_type = given[column.name]
        else:
            arrow_type = named.get(column.type) or pa.type_for_alias(column.type)
        metadata = None if column.scheme is None else {"scheme": column.scheme}
        fields.append(pa.field(column.name, arrow_type, nullable=column.nullable, metadata=metadata))
    return pa.schema(fields)
