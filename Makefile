# `make help` lists what there is; each line of it is the `##` comment of its target.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
# Tests run in as many processes as there are cores, four at most, each with a MongoDB of its own.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
# What `make lock` does with the versions it finds: `make lock UPGRADE=--upgrade` takes the newest of all,
# `make lock UPGRADE="--upgrade-package fastapi"` of one; otherwise each stays as long as pyproject.toml allows it.
UPGRADE ?=
LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" --extra embedded $(UPGRADE)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

.PHONY: run
run: .venv/run ## start the planner with its embedded MongoDB on http://127.0.0.1:8000
	@exec $(BIN)/python -m planner serve

.PHONY: test
test: .venv/test ## run the whole suite against a real MongoDB
	$(PYTEST)

.PHONY: coverage
coverage: .venv/test ## run the whole suite and fail where it covers less than the floor in pyproject.toml
	$(PYTEST) --cov

.PHONY: test-mock
test-mock: .venv/test ## run what a stand-in for MongoDB can show, on any platform
	$(PYTEST) --engine=mock

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

.PHONY: hooks
hooks: .venv/test ## have git run `make lint` before each commit
	$(BIN)/pre-commit install

.PHONY: bench
bench: .venv/test ## measure the planner beside a bare callable over the same driver
	$(BIN)/python -m tests.bench

.PHONY: fuzz
fuzz: .venv/fuzz ## let schemathesis try the API for SECONDS (300)
	$(BIN)/python -m tests.fuzz

.PHONY: lock
lock: .venv/test ## make the requirements files from pyproject.toml; UPGRADE=--upgrade for newer versions
	$(LOCK) -o requirements.txt
	$(LOCK) -o tests/requirements.txt -c requirements.txt --group dev
	$(LOCK) -o tests/fuzz-requirements.txt -c tests/requirements.txt --group fuzz

.PHONY: outdated
outdated: .venv/test ## list the installed packages of which there is a newer version
	$(BIN)/uv pip list --outdated

.PHONY: clean
clean: ## remove the environment and caches, but never data
	rm -rf .venv .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run: requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

.venv/test: tests/requirements.txt | .venv/bin/python
	$(PIP) -r tests/requirements.txt
	@touch $@ .venv/run

.venv/fuzz: tests/fuzz-requirements.txt | .venv/bin/python
	$(PIP) -r tests/fuzz-requirements.txt
	@touch $@ .venv/test .venv/run
