# Targets document themselves: `make help` prints every line that carries a double hash.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= $(shell for name in python3.11 python3; do "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
# One more than the two cores that CI has: many tests wait for a lease to end, or for a call.
WORKERS ?= 3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv --quiet --no-config pip compile --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(UPGRADE)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(READY) ## Make .venv and install the locked versions (does nothing when nothing changed)

$(READY): pyproject.toml requirements/dev.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with PYTHON=/path/to/python." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --only-binary :all: --requirement requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: test
test: format lint imports types bandit unit docs ## Everything CI runs

.PHONY: format
format: setup ## Check the format of all Python files (`make fix` mends it)
	$(BIN)/ruff format --check --diff .

.PHONY: lint
lint: setup ## Check the code with ruff
	$(BIN)/ruff check .

.PHONY: imports
imports: setup ## Check that packages import only what their layer allows
	$(BIN)/lint-imports --no-logo

.PHONY: types
types: setup ## Check the types with mypy
	$(BIN)/mypy --num-workers 2

.PHONY: bandit
bandit: setup ## Look for what code that is trusted with keys should not do
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src

.PHONY: audit
audit: bandit ## Ask whether a locked version has a known hole (needs the network)
	$(BIN)/python -m tests.architecture.audit

.PHONY: unit
unit: setup ## Run the tests, WORKERS at a time (ARGS="-k lease" picks some)
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --ignore=tests/docs tests $(ARGS)

.PHONY: docs
docs: setup ## Run the examples in the documentation and check that it is complete
	if test -d tests/docs; then $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile tests/docs $(ARGS); fi

.PHONY: site
site: setup ## Make the documentation a site, in site/, to be opened as files or served
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

.PHONY: fix
fix: setup ## Format the code and mend what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: demo
demo: setup ## Watch a shop's endpoints being called, planned and explained (ARGS="--seconds 30")
	$(BIN)/cronicorn demo $(ARGS)

.PHONY: pictures
pictures: setup ## Take the pictures of the web app that the README shows, anew, in five minutes (needs a Chromium)
	$(BIN)/python -m tests.web.browser.pictures $(ARGS)

.PHONY: bench
bench: setup ## Measure against the bound, in an hour and a half (ARGS=plan picks one, which takes seconds)
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: peers
peers: ## Install the schedulers that `python -m benchmarks drain` compares with into .venv-peers
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: --requirement requirements/benchmarks.txt

.PHONY: chaos
chaos: setup ## Kill, freeze and cut off workers for MINUTES=30 and see what holds (ARGS="--mechanism redis --seed 7")
	$(BIN)/python -m tests.chaos run --minutes $(or $(MINUTES),30) $(ARGS)

.PHONY: lock
lock: setup ## Pin dependencies again after editing pyproject.toml (UPGRADE=--upgrade takes new versions)
	$(COMPILE) pyproject.toml --output-file requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml $(addprefix --extra ,ai email etcd mcp otel postgres redis) --constraints requirements/dev.txt --output-file requirements/all.txt
	$(COMPILE) --group peers --output-file requirements/benchmarks.txt

.PHONY: clean
clean: ## Remove .venv, caches and built files
	rm -rf .venv .venv-peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage build dist htmlcov site
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
