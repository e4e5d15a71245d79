# `make help` lists what there is; each line of it is the `##` comment of its target.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

.PHONY: run
run: .venv/run ## start the planner with its embedded MongoDB on http://127.0.0.1:8000
	@exec $(BIN)/python -m planner serve

.PHONY: test
test: .venv/test ## run the whole suite against a real MongoDB
	$(BIN)/python -m pytest

.PHONY: test-mock
test-mock: .venv/test ## run what a stand-in for MongoDB can show, on any platform
	$(BIN)/python -m pytest --engine=mock

.PHONY: lint
lint: .venv/test ## check style, types and which way imports go
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: .venv/test ## put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: .venv/test ## measure the planner beside a bare callable over the same driver
	$(BIN)/python -m tests.bench

.PHONY: fuzz
fuzz: .venv/fuzz ## let schemathesis try the API for SECONDS (300)
	$(BIN)/python -m tests.fuzz

.PHONY: clean
clean: ## remove the environment and caches, but never data
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run: requirements.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/test: requirements.txt tests/requirements.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@ .venv/run

.venv/fuzz: tests/fuzz-requirements.txt | .venv/test
	$(BIN)/pip install --quiet --disable-pip-version-check -r tests/fuzz-requirements.txt
	@touch $@
