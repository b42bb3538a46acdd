# Short names for what a developer does often. `make test` is what the README says; `make check` is what CI runs.

BIN = .venv/bin

.PHONY: setup test check lint docs

setup:
	python3 -m venv .venv
	$(BIN)/pip install -q -e '.[test]'

test:
	$(BIN)/python -m pytest

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs:
	$(BIN)/python docs/update.py

check:
	.ci/run
