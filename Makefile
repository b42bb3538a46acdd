# Short names for what a developer does often. `make test` is what the README says; `make check` is what CI runs, of which
# `make lowest` and `make matrix` are the parts about versions.

BIN = .venv/bin

.PHONY: setup test lint docs lowest matrix check

setup:
	python3 -m venv .venv
	$(BIN)/pip install -q -e '.[test]'

test:
	$(BIN)/python -m pytest

lint:
	.ci/lint

docs:
	$(BIN)/python docs/update.py

lowest:
	.ci/lowest -m ''

matrix:
	$(BIN)/python .ci/matrix.py

check:
	.ci/run
