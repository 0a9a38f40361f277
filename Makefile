# The two commands that matter are `make run` and `make test`; `make` alone lists the rest.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# The command that plans and applies Terraform without an account, where there is one.
TERRAFORM_VERIFY ?= $(abspath $(firstword $(wildcard ../shared/tools/*/verify)))
# Labelled opinions to train and measure with; they are no part of the repository.
OPINION ?= ../shared/data/opinion
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	--override requirements/without.txt

# Tests start hundreds of processes; without stored bytecode each would compile all of the house.
test test-slow: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-slow test-mutations test-faults-nightly test-aws lint format bench model model-all model-minilm bench-alarms package lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-19s %s\n", $$1, $$2}'

run: .venv/run.stamp ## Main job end to end with no account: simulated Reddit, local lake
	@$(BIN)/market-opinion demo

test: lint ## Everything CI runs: lint, types, import rules, tests
	$(PYTEST)

test-slow: .venv/dev.stamp ## What `make test` leaves out: all cases of the fault suites, seeded mistakes in Terraform, a real month (minutes)
	TERRAFORM_VERIFY="$(TERRAFORM_VERIFY)" $(PYTEST) -m slow

test-mutations: .venv/dev.stamp ## Seeded mistakes: each must be found by some test (about two minutes)
	@$(BIN)/python -m tests.mutations

test-faults-nightly: .venv/dev.stamp ## The state machine of the fault tests with 5,000 examples, other ones every time
	FAULT_EXAMPLES=5000 $(BIN)/python -m pytest tests/faults/test_state_machine.py

test-aws: .venv/dev.stamp ## Terraform and the deployed function in an emulator (skipped where the tools are absent)
	@TERRAFORM_VERIFY="$(TERRAFORM_VERIFY)" $(BIN)/python -m tests.deployed

lint: .venv/dev.stamp ## Style, types and import rules only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --strict lambda/package.py
	$(BIN)/lint-imports --no-cache

format: .venv/dev.stamp ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

model: .venv/dev.stamp ## Train the shipped sentiment model, measure it, write its card (OPINION=folder of labelled files)
	@OMP_NUM_THREADS=1 $(BIN)/python -m market_opinion.sentiment.making "$(OPINION)" --page docs/model-card.md

model-all: .venv/dev.stamp ## Train on every labelled file, into build/: for measuring, never shipped
	@OMP_NUM_THREADS=1 $(BIN)/python -m market_opinion.sentiment.making "$(OPINION)" --all build/model-all

model-minilm: ## Fine-tune the engine minilm (about half an hour; an environment of its own with torch)
	@test -d build/minilm-venv || $(PYTHON) -m venv build/minilm-venv
	@build/minilm-venv/bin/python -m pip --disable-pip-version-check --quiet install -r requirements/minilm.in
	@PYTHONPATH=modules build/minilm-venv/bin/python -m market_opinion.sentiment.minilm_training "$(OPINION)" modules/market_opinion/sentiment/models

bench: .venv/dev.stamp ## Requests and CPU against peers and floors, side by side; what a month on AWS costs
	$(BIN)/python -m bench.requests
	$(BIN)/python -m bench.live_cpu
	$(BIN)/python -m bench.cold_start
	$(BIN)/python -m bench.costs

bench-alarms: .venv/dev.stamp ## How often alerts cry wolf, and how soon they find what is there (minutes)
	@$(BIN)/python -m bench.false_alarms

package: .venv/dev.stamp ## Build the ingestion function's zip
	@$(BIN)/python lambda/package.py

lock: .venv/bin/python ## Write requirements/*.txt again (versions and hashes, no host names)
	$(PIP) install uv
	$(LOCK) pyproject.toml --extra minilm requirements/build.in requirements/dev.in -o requirements/dev.txt
	$(LOCK) pyproject.toml requirements/build.in -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) requirements/lambda.in -c requirements/dev.txt -o requirements/lambda.txt

clean: ## Remove what the other targets made
	rm -rf .venv build lake-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "make: no python3.11 on PATH; install Python 3.11 or run make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $(PYTHON) is older than Python 3.11; run make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making .venv with $(PYTHON) ..." >&2
	@$(PYTHON) -m venv .venv || { echo "make: the venv module is missing (Debian: apt install python3-venv)"; rm -rf .venv; exit 1; }

.venv/run.stamp: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "Installing what the platform needs to run ..." >&2
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/run.stamp
	@echo "Installing what the tests need ..." >&2
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements/dev.txt
	@touch $@
