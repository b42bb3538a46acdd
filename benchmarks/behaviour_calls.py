"""What ``behaviour.py`` calls: scenarios, each of lines for ``Record.do`` that follow each other.

``sample/`` holds the sample votes, ``sim/`` a simulated log, ``made/`` what ``behaviour_inputs.py`` writes.
"""

STRATEGIES = [
    "plantnet",
    "majority",
    "naive-soft",
    "wawa",
    "two-thirds",
    "zero-based-skill",
    "dawid-skene",
    "one-coin",
    "glad",
    "mace",
    "iwmv",
    "wds",
    "kinds",
    "auto",
]
COMMANDS = [
    "run",
    "diff",
    "runs",
    "publish",
    "rollback",
    "evaluate",
    "compare",
    "ambiguity",
    "calibrate",
    "calibrate-ai",
    "config",
    "simulate",
]
WEIGHT_FUNCTIONS = ["linear", "square-root", "three-quarters", "square", "logarithm"]
AI_MODES = ["ignore", "user", "fixed", "invalidating", "confident"]

SAMPLE, SIMULATED, UNTIDY = "sample/votes.parquet", "sim/votes.parquet", "made/untidy.parquet"
TRUTH = "--truth sample/truth.parquet"
AI_VOTES = "--ai-votes sample/ai_votes.parquet"
GOOD, BAD = "made/bad/good.parquet", "made/bad"

SETUP = [
    "simulate sim --scale 0.01 --seed 7 --ai --parrots 0.1 --experts 0.05",
    "simulate strings --scale 0.001 --seed 8 --ai --ids string -q",
]
"""What is called first: the logs of the others."""


def scenarios() -> dict[str, list[str]]:
    """All of them, by name."""
    return (
        {"help": helps()}
        | {f"strategies/{name}": of_strategy(name) for name in STRATEGIES}
        | {"parameters/plantnet": plantnet_parameters(), "parameters/others": other_parameters()}
        | {f"ai/{mode}": of_ai_mode(mode) for mode in AI_MODES}
        | {"ai/calibrate": ai_calibration(), "ai/strings": strings(), "weights": user_weights()}
        | {"calibrate": calibration(), "scores": scores(), "ambiguity": ambiguity(), "compare": comparison()}
        | {"votes": votes(), "as-of": as_of(), "untidy": untidy(), "guards": guards(), "damage": damage()}
        | {"output": outputs(), "config": configuration()}
        | {f"errors/{name}": lines for name, lines in errors().items()}
    )


def helps() -> list[str]:
    return ["--version", "--help", "-h", *(f"{command} --help" for command in COMMANDS)]


def of_strategy(name: str) -> list[str]:
    """A run on either log, with all tables, and its evaluation."""
    return [
        f"run {SAMPLE} --strategy {name} --soft -q",
        f"evaluate {{out}} {TRUTH} --votes {SAMPLE} --resamples 20 --json -q",
        f"run {SIMULATED} --strategy {name} --soft -q -o {{out}}/simulated",
    ]


def plantnet_parameters() -> list[str]:
    options = [
        *(f"--weight-function {name}" for name in WEIGHT_FUNCTIONS),
        "--vote-credit validated",
        "--alpha 0.8 --beta 0.1 --gamma 0.5",
        "--theta-conf 1 --theta-acc 0.9",
        "--max-iter 1",
        "--max-iter 2 --ambiguous-below 0.9",
        "--ambiguous-quantile 0.05",
        "--threads 1",
    ]
    simulated = ["--vote-credit validated", "--weight-function logarithm --vote-credit validated"]
    return [
        *(f"run {SAMPLE} --soft -q {each}" for each in options),
        *(f"run {SIMULATED} -q {each}" for each in simulated),
    ]


def other_parameters() -> list[str]:
    options = [
        "majority --theta-conf 2 --theta-acc 0.8",
        "two-thirds --theta-acc 0.5 --ambiguous-quantile 0.1",
        "zero-based-skill --rounds 30 --step-rounds 7",
        "dawid-skene --tolerance 0.1 --prior-votes 1 --label-prior 0.5 --label-smoothing 0.1",
        "dawid-skene --max-iter 2",
        "one-coin --tolerance 0.001 --prior-votes 0 --label-prior 1",
        "glad --prior-mean 0.5 --prior-variance 2 --label-prior 1 --max-iter 5",
        "mace --guess-votes 3 --prior-votes 4 --label-smoothing 0",
        "iwmv --max-iter 3 --theta-acc 0.9",
        "wds --prior-votes 1 --tolerance 0.05",
    ]
    return [f"run {SAMPLE} --soft -q --strategy {each}" for each in options]


def of_ai_mode(mode: str) -> list[str]:
    run = f"run {SAMPLE} -q {AI_VOTES} --ai-mode {mode}"
    return [
        f"{run} --soft",
        f"{run} --parrots discount",
        f"{run} --parrots drop --ai-weight 1.2 --ai-threshold 0.4",
        f"run {SIMULATED} -q --ai-votes sim/ai_votes.parquet --ai-mode {mode} --parrots discount --soft",
        f"run {SAMPLE} -q --ai-votes made/few_ai.parquet --ai-mode {mode} --ai-weight 5 --vote-credit validated",
    ]


def ai_calibration() -> list[str]:
    calibrate = f"calibrate-ai sample/ai_votes.parquet {TRUTH}"
    run = f"run {SAMPLE} -q {AI_VOTES} --ai-calibration {{out}}"
    return [
        f"run {SAMPLE} -q",
        f"{calibrate} --votes {SAMPLE} -o {{out}}/isotonic.json -q",
        f"{calibrate} --method temperature --seed 3 -o {{out}}/temperature.json -q --json",
        f"{calibrate} --votes {SAMPLE} -o {{out}}/again.json",
        f"{run}/isotonic.json",
        f"{run}/temperature.json --ai-threshold 0.9 --parrots discount",
    ]


def strings() -> list[str]:
    """Ids are strings."""
    run = "run strings/votes.parquet -q --soft --ai-votes strings/ai_votes.parquet"
    return [
        f"{run} --ai-mode user",
        f"{run} --parrots drop",
        "run strings/votes.parquet -q --soft --strategy dawid-skene",
        "evaluate {out} --truth strings/truth.parquet --resamples 10 --worst 3 -q",
    ]


def user_weights() -> list[str]:
    run = f"run {SAMPLE} -q --soft"
    return [
        f"{run} --user-weights made/fixed.parquet",
        f"{run} --user-weights made/floors.csv {AI_VOTES} --vote-credit validated",
    ]


def calibration() -> list[str]:
    run = f"run {SAMPLE} -q"
    return [
        run,
        f"calibrate {{out}} {TRUTH} -o {{out}}/platt.json",
        f"calibrate {{out}} {TRUTH} -o {{out}}/beta.json --method beta --seed 1 --json -q",
        f"calibrate {{out}} {TRUTH} -o {{out}}/isotonic.json --method isotonic -q",
        f"{run} --calibration {{out}}/platt.json",
        f"{run} --calibration {{out}}/beta.json",
        f"{run} --calibration {{out}}/isotonic.json --soft",
        f"{run} --calibration simulated",
        f"run {SIMULATED} -q --calibration {{out}}/platt.json --strategy majority",
        f"evaluate {{out}} {TRUTH} --resamples 10 -q",
    ]


def scores() -> list[str]:
    run = f"run {SAMPLE} -q"
    return [
        f"{run} --scores made/scores",
        f"{run} --scores 'made/scores/epoch_[12].parquet' --normalise --strategy dawid-skene",
        f"{run} --scores made/score_rows --score-column label=name {AI_VOTES} --calibration simulated",
    ]


def ambiguity() -> list[str]:
    command = f"ambiguity {SAMPLE} --scores made/scores"
    return [
        f"run {SAMPLE} -q",
        f"{command} -o {{out}}/auto.parquet",
        f"{command} -o {{out}}/weight.parquet --trust weight --margin other --alpha 0.1 --by-label -q --json",
        f"{command} -o {{out}} --strategy glad --trust confusion --normalise -q",
        f"ambiguity {SAMPLE} --scores made/score_rows --score-column label=name -o {{out}}/rows.parquet -q --json",
    ]


def comparison() -> list[str]:
    return [
        f"compare {SAMPLE} {TRUTH} --resamples 10 -q {AI_VOTES} --ai-thresholds 0.5,0.8",
        f"run {SAMPLE} -q",
        f"compare {SAMPLE} {TRUTH} --resamples 10 --strategies plantnet,majority,wawa --json --seed 2",
        f"compare {SIMULATED} --truth sim/truth.parquet --resamples 0 -q -o {{out}}/all.parquet",
        f"compare {SAMPLE} {TRUTH} --resamples 0 -q --strategies iwmv,mace -o {{out}}/two.csv --plot {{out}}/two.png",
    ]


def votes() -> list[str]:
    """One log in many forms."""
    columns = "--column observation_id=obs --column user_id=who --column label=species --column is_author=mine"
    return [
        "run made/parts -q",
        "run made/parts/b.parquet made/parts/a.parquet -q",
        "run 'made/parts/*.parquet' -q",
        f"run made/renamed.parquet -q {columns} --column voted_at=at",
        "evaluate {out} -q --truth made/renamed_truth.parquet --column observation_id=obs --column label=species",
        "run made/bare.parquet -q",
        "run made/integers.parquet -q --soft",
        "run made/text.parquet -q --soft",
        f"run {SAMPLE} made/few_ai.parquet -q",
        f"run {SAMPLE} {SAMPLE} -q",
    ]


def as_of() -> list[str]:
    run = f"run {SAMPLE} -q --soft --as-of"
    return [
        f"{run} 2022-09-01",
        f"{run} 2022-06-01T12:00:00+02:00",
        f"{run} 1990-01-01",
        f"{run} 2022-03-01 --strategy dawid-skene",
        f"compare {SAMPLE} {TRUTH} --resamples 0 -q --strategies plantnet --as-of 2022-09-01",
    ]


def untidy() -> list[str]:
    return [
        f"run {UNTIDY}",
        f"run {UNTIDY} --max-rejected 0.5 --soft",
        f"run {UNTIDY} --max-rejected 0.5 --as-of 2022-01-01T00:00:00 -q",
        f"run {UNTIDY} --max-rejected 0.5 -q --json --strategy wds",
        f"run {UNTIDY} --max-rejected 0.5 --log-format json --strategy mace",
    ]


def guards() -> list[str]:
    """Runs over each other, held and published, forth and back."""
    strict = "--max-label-changes 0 --max-valid-drop 0"
    return [
        f"run {SAMPLE} -q --keep 3",
        f"run {SAMPLE} -q {AI_VOTES} --max-label-changes 0.01 --keep 3 --metrics {{out}}/run.prom",
        "runs -o {out}",
        "diff latest {2} -o {out}",
        "diff {1} {2} -o {out} --rows 0 --table {out}/table.parquet -q",
        "diff {1} {2} -o {out} --json -q",
        "publish {2} -o {out} --metrics {out}/run.prom",
        f"run made/fewer.parquet -q {AI_VOTES} --keep 3",
        f"run {SAMPLE} -q --theta-acc 0.9 {strict}",
        f"run {SAMPLE} -q --theta-acc 0.9 --user-weights made/fixed.parquet --json {strict}",
        f"run {SAMPLE} -q --theta-acc 0.9 --keep 3",
        f"run {SAMPLE} -q --theta-acc 0.9 {strict} --keep 1",
        "runs -o {out} --json",
        "rollback -o {out}",
        "rollback -o {out}",
        "publish {1} -o {out}",
        "diff {out} {6} -o {out} --rows 2",
        "runs -o {out}",
    ]


def damage() -> list[str]:
    """Runs that cannot be published or compared with, and an output that somebody else writes in."""
    return [
        f"run {GOOD} -q",
        f"run {BAD}/other.parquet -q",
        f"LOCKED run {GOOD} -q --lock fail",
        "REMOVE {out}/runs/{1}/users.parquet",
        "publish {1} -o {out}",
        "rollback -o {out}",
        "runs -o {out}",
        "diff {1} {2} -o {out}",
        "REMOVE {out}/runs/{2}/consensus.parquet",
        "diff {1} {2} -o {out}",
        f"run {GOOD} -q --max-label-changes 1",
        f"run {GOOD} -q",
        "evaluate {out}/runs/{2} --truth made/bad/truth.parquet -q",
    ]


def outputs() -> list[str]:
    """Where the result goes, and what is said of it on the way."""
    return [
        f"run {GOOD}",
        f"run {GOOD} --log-format json --json",
        f"run {GOOD} -q --metrics {{out}}/run.prom",
        f"run {BAD}/other.parquet -q --keep 0 --threads 1",
        f"evaluate {{out}} --truth {BAD}/truth.parquet --votes {GOOD}",
        f"evaluate {{out}}/latest/consensus.parquet --truth {BAD}/truth.parquet --resamples 0 --worst 0 --json",
        "simulate {out}/tiny --scale 0.0001 --seed 3 --log-format json",
        "simulate {out}/tiny --scale 0.0001 --seed 3 -q",
        "simulate {out}/tiny --scale 0.0001 --seed 4 -q --overwrite --ai --parrots 0.5 --experts 0.3",
    ]


def configuration() -> list[str]:
    right = "--config made/right.toml"
    return [
        *(f"config --show {command}" for command in COMMANDS if command != "config"),
        f"config {right}",
        f"config --show {right}",
        f"config --show evaluate {right}",
        f"run {right} -o {{out}}",
        f"run {right} -o {{out}} --strategy majority --no-soft",
        f"evaluate {{out}} {right}",
        f"diff {{1}} {{2}} -o {{out}} {right}",
        *(f"config --config made/{name}.toml" for name in ["wrong", "not_toml", "beta", "majority", "twice", "gone"]),
        "config",
        "config rum --show",
        f"run {GOOD} -q -o {{out}} --config made/wrong.toml",
    ]


def errors() -> dict[str, list[str]]:
    """Calls that fail, by what is wrong with them."""
    run = f"run {GOOD} -q"
    files = "cut empty no_rows no_labels rejected not_utf8 twice float_ids bool_labels list_labels text_authors"
    strategies = [
        "plantnet --alpha 0",
        "plantnet --beta 0.9",
        "plantnet --gamma inf",
        "plantnet --theta-acc 1.5",
        "plantnet --weight-function cubic",
        "plantnet --rounds 5",
        "majority --theta-conf -1",
        "majority --user-weights made/fixed.parquet",
        f"majority {AI_VOTES}",
        "majority --max-iter 5",
        "wawa --alpha 0.5",
        "two-thirds --theta-acc nan",
        "zero-based-skill --rounds 0",
        "dawid-skene --tolerance 1",
        "dawid-skene --vote-credit any",
        "one-coin --label-prior 2",
        "glad --prior-variance 0",
        "glad --prior-votes 1",
        "mace --guess-votes -1",
        "iwmv --max-iter 0",
        "wds --label-smoothing nan",
        "oracle",
    ]
    return {
        "files": [
            *(f"run {BAD}/{name}.parquet -q" for name in [*files.split(), "without_label", "without_two", "gone"]),
            *(f"run {BAD}/{name} -q" for name in ["text.csv", "folder", "mixed", "gone/*.parquet"]),
        ],
        "strategies": [f"{run} --strategy {each}" for each in strategies],
        "options": [
            "",
            "rum",
            "run -q",
            "run made/parts -q -o made/parts/out",
            *(
                f"{run} {each}"
                for each in [
                    "--surprise",
                    "--thet-acc 0.7",
                    "--alpha much",
                    "--alpha",
                    "--max-iter 0",
                    "--max-iter 1.5",
                    "--max-rejected 2",
                    "--keep -1",
                    "--threads 0",
                    "--threads 1000000000",
                    "--max-label-changes 1.1",
                    "--max-valid-drop nan",
                    "--as-of yesterday",
                    "--as-of 2024-01-01",
                    "--column label",
                    "--column species=name",
                    "--column label=a --column label=b",
                    "--column label=nope",
                    "--ambiguous-below 0.1 --ambiguous-quantile 0.1",
                    "--ai-mode fixed",
                    "--parrots drop",
                    "--ai-calibration gone.json",
                    "--score-column label=x",
                    "--normalise",
                    "--output ''",
                    f"-o {GOOD}",
                    "--metrics gone/m.prom",
                    "--store-timeout 0",
                    "--lock maybe",
                    "--log-format xml",
                    "--config made/gone.toml",
                ]
            ),
        ],
        "inputs": [
            f"{run} {each}"
            for each in [
                *(f"--user-weights {BAD}/{name}" for name in ["negative.csv", "repeated.csv", "no_weight.csv"]),
                *(
                    f"--user-weights {BAD}/{name}"
                    for name in ["heavy.csv", "gone.csv", "good.parquet", "not_json.json"]
                ),
                *(f"--calibration {name}" for name in [f"{BAD}/not_json.json", f"{BAD}/other.json", "gone.json", GOOD]),
                f"--ai-votes {BAD}/ai_without_score.parquet",
                f"--ai-votes {BAD}/ai_scores_beyond.parquet",
                f"--ai-votes {BAD}/ai_scores_beyond.parquet --max-rejected 0.5",
                "--ai-votes gone.parquet",
                f"--ai-votes {BAD}/ai_scores_beyond.parquet --ai-calibration {BAD}/other.json",
                f"--scores {GOOD}",
                f"--scores {BAD}/scores_beyond.parquet",
                f"--scores {BAD}/scores_beyond.parquet --max-rejected 0.5",
                "--scores gone",
            ]
        ],
        "commands": [
            f"{run}",
            *(
                f"evaluate {{out}} -q --truth {name}"
                for name in [
                    f"{BAD}/truth_elsewhere.parquet",
                    f"{BAD}/truth_of_two_minds.parquet",
                    f"{BAD}/truth_text_ids.parquet",
                    f"{BAD}/without_label.parquet",
                    "gone.parquet",
                ]
            ),
            "evaluate {out} -q",
            f"evaluate gone -q --truth {BAD}/truth.parquet",
            f"evaluate {GOOD} -q --truth {BAD}/truth.parquet",
            f"evaluate {{out}} -q --truth {BAD}/truth.parquet --resamples -1",
            f"calibrate {{out}} -q --truth {BAD}/truth.parquet -o {{out}}/c.json",
            f"calibrate {{out}} -q --truth {BAD}/truth_elsewhere.parquet -o {{out}}/c.json",
            f"calibrate {{out}} -q --truth {BAD}/truth.parquet --method magic",
            f"calibrate-ai {GOOD} -q --truth {BAD}/truth.parquet -o {{out}}/c.json",
            f"calibrate-ai sample/ai_votes.parquet -q --truth {BAD}/truth_elsewhere.parquet -o {{out}}/c.json",
            f"compare {GOOD} -q --truth {BAD}/truth_elsewhere.parquet",
            f"compare {GOOD} -q --truth {BAD}/truth.parquet --strategies majority,oracle",
            f"compare {GOOD} -q --truth {BAD}/truth.parquet --strategies majority -o {{out}}/x.xlsx",
            f"compare {GOOD} -q --truth {BAD}/truth.parquet --strategies majority --plot {{out}}/x.gif",
            f"compare {GOOD} -q --truth {BAD}/truth.parquet --ai-thresholds 0.5,x --ai-votes sample/ai_votes.parquet",
            f"ambiguity {GOOD} -q",
            f"ambiguity {GOOD} -q --scores gone",
            f"ambiguity {GOOD} -q --scores made/scores --alpha 1",
            f"ambiguity {GOOD} -q --scores made/scores -o {{out}}/a.parquet",
            f"ambiguity {GOOD} -q --scores made/scores --strategy oracle",
            "simulate sim -q --scale 0.0001",
            "simulate {out}/new -q --scale 0",
            "simulate {out}/new -q --scale 0.0001 --parrots 0.5",
            "simulate {out}/new -q --scale 0.0001 --experts 2",
        ],
        "runs": [
            "runs -o elsewhere",
            "publish 20200101T000000Z -o elsewhere",
            "rollback -o elsewhere",
            "diff latest latest -o elsewhere",
            f"{run}",
            "publish 20200101T000000Z -o {out}",
            "publish latest -o {out}",
            "publish -o {out}",
            "publish ../runs -o {out}",
            "rollback -o {out}",
            "diff latest 20200101T000000Z -o {out}",
            "diff latest -o {out}",
            "diff latest gone/consensus.parquet -o {out}",
            f"diff latest {GOOD} -o {{out}}",
            f"diff latest latest -o {{out}} --table {GOOD}/table.parquet",
            "runs -o ''",
        ],
    }
