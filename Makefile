# `make help` lists the targets. The text behind `##` is the description of a target.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
# The tests run in twice as many processes as there are cores, because many of them wait for the database, a server or a
# mail: but in at most six. Each process starts a MongoDB of its own.
JOBS ?= $(shell $(PYTHON) -c "import os; print(min(6, 2 * (os.cpu_count() or 1)))")
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
# `make lock` keeps each version that pyproject.toml still allows. `make lock UPGRADE=--upgrade` selects the newest
# version of every package, and `make lock UPGRADE="--upgrade-package fastapi"` that of one package.
UPGRADE ?=
LOCK = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" --extra embedded $(UPGRADE)
# The first of the locks: the packages for traces allow fewer versions than the others.
TRACING := requirements-tracing.txt
# What `make screenshots` copies from build/screenshots for the README.
SCREENSHOTS := month-desktop-light.png week-desktop-dark.png agenda-phone-light.png

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/' | expand -t 14

.PHONY: run
run: .venv/run ## start the planner with its embedded MongoDB on http://127.0.0.1:8000
	@exec $(BIN)/python -m planner serve

.PHONY: test
test: .venv/test ## run all tests with a real MongoDB
	$(PYTEST)

.PHONY: coverage
coverage: .venv/test ## run all tests, and fail if they run less of the code than pyproject.toml demands
	$(PYTEST) --cov

.PHONY: test-mock
test-mock: .venv/test ## run the tests that need no real MongoDB, on any platform
	$(PYTEST) --engine=mock

.PHONY: test-beanie2
test-beanie2: .venv-beanie2/test ## run the tests with Beanie 2, and PyMongo's own asynchronous client instead of Motor
	.venv-beanie2/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS) \
		--ignore=tests/structure/test_dependencies.py --ignore=tests/structure/test_typed_documents.py \
		-W "ignore:unclosed:ResourceWarning"

.PHONY: client
client: .venv/test ## generate a client from the OpenAPI document, and use it and stock OAuth clients
	$(BIN)/python -m pytest tests/clients

.PHONY: test-browser
test-browser: .venv/browser ## run the tests of the pages in Chromium, which must be installed
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -n 2 tests/browser

.PHONY: screenshots
screenshots: .venv/browser ## make the screenshots of the README
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest tests/browser/appearance/test_screenshots.py
	cp $(addprefix build/screenshots/,$(SCREENSHOTS)) docs/screenshots

.PHONY: lint
lint: .venv/test ## check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: .venv/test ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: hooks
hooks: .venv/test ## let git run `make lint` before each commit
	$(BIN)/pre-commit install

.PHONY: test-failures
test-failures: .venv/test ## let a replica set and workers fail while 16 writers write (up to ten minutes)
	$(BIN)/python -m tests.failures.failover

.PHONY: bench
bench: .venv/test ## measure the speed, compared with a bare callable over the same driver
	$(BIN)/python -m tests.bench

.PHONY: bench-sizes
bench-sizes: .venv/test ## measure requests among 1,000, 200,000 and 1,000,000 events (SIZES=1000,200000)
	$(BIN)/python -m tests.bench.sizes $(if $(SIZES),--sizes $(SIZES))

.PHONY: fuzz
fuzz: .venv/fuzz ## send generated requests to the API for SECONDS (300)
	$(BIN)/python -m tests.fuzz

.PHONY: lock
lock: .venv/test ## make the requirements files from pyproject.toml (UPGRADE=--upgrade: with newer versions)
	$(LOCK) -o $(TRACING) --extra tracing
	$(LOCK) -o requirements.txt -c $(TRACING)
	$(LOCK) -o tests/requirements.txt -c $(TRACING) --extra tracing --group dev
	$(LOCK) -o tests/fuzz-requirements.txt -c tests/requirements.txt --extra tracing --group fuzz
	$(LOCK) -o tests/browser-requirements.txt -c tests/requirements.txt --extra tracing --group browser
	$(LOCK) -o tests/audit-requirements.txt -c tests/requirements.txt --extra tracing --group audit
	@# The versions of the tests' requirements, where Beanie 2 allows them: uv keeps those that the file has already.
	cp tests/requirements.txt tests/beanie2-requirements.txt
	$(LOCK) -o tests/beanie2-requirements.txt --override tests/beanie2-overrides.txt --extra tracing --group test

.PHONY: outdated
outdated: .venv/test ## list in docs/dependencies.md the packages of which there is a newer version
	$(BIN)/python -m tests.supply_chain outdated

.PHONY: audit
audit: .venv/audit ## look for known vulnerabilities of all packages in the requirements files
	$(BIN)/python -m tests.supply_chain audit

.PHONY: sbom
sbom: .venv/audit ## make a software bill of materials (CycloneDX) of the product: build/sbom.json
	@mkdir -p build
	@$(BIN)/python -W ignore -m cyclonedx_py requirements $(TRACING) --pyproject pyproject.toml --output-reproducible \
		--output-file build/sbom.json
	@echo "Written: build/sbom.json"

.PHONY: clean
clean: ## remove the virtual environment and caches, but no data
	rm -rf .venv .venv-beanie2 .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv-beanie2/test: tests/beanie2-requirements.txt
	$(PYTHON) -m venv .venv-beanie2
	.venv-beanie2/bin/pip install --quiet --disable-pip-version-check --require-hashes -r tests/beanie2-requirements.txt
	@touch $@

.venv/run: requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

.venv/test: tests/requirements.txt | .venv/bin/python
	$(PIP) -r tests/requirements.txt
	@touch $@ .venv/run

.venv/fuzz: tests/fuzz-requirements.txt | .venv/bin/python
	$(PIP) -r tests/fuzz-requirements.txt
	@touch $@ .venv/test .venv/run

.venv/audit: tests/audit-requirements.txt | .venv/bin/python
	$(PIP) -r tests/audit-requirements.txt
	@touch $@ .venv/test .venv/run

.venv/browser: tests/browser-requirements.txt | .venv/bin/python
	$(PIP) -r tests/browser-requirements.txt
	@touch $@ .venv/test .venv/run
