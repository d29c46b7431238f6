# Everything a person does with this checkout. `make` alone says what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# A Python 3.11 to 3.13 of your choice; empty: the first one on PATH that works.
PYTHON ?=
VENV ?= .venv
# Passed on: make test ARGS="tests/policy -x"
ARGS ?=

BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev

.PHONY: help setup demo serve test lint format types check bench bench-media bench-proxy bench-redaction bench-recording bench-evidence bench-rights pipecat lock licences clean

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)$$/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

setup: $(DEV)  ## Install everything into .venv (once; again when the lock changes)

$(RUNTIME): requirements.lock pyproject.toml tools/setup.sh
	@tools/setup.sh "$(VENV)" "$(PYTHON)" requirements.lock
	@touch $@

# The lock for development holds the other one's packages too.
$(DEV): requirements-dev.lock requirements.lock pyproject.toml tools/setup.sh
	@tools/setup.sh "$(VENV)" "$(PYTHON)" requirements-dev.lock
	@touch $(RUNTIME) $@

demo: $(RUNTIME)  ## Place a real call through the gateway and show what happened
	@$(BIN)/sordino demo $(ARGS)

serve: $(RUNTIME)  ## Keep the gateway running at http://127.0.0.1:8080
	@$(BIN)/sordino serve --demo-model $(ARGS)

test: $(DEV)  ## Pass the tests
	@tools/test.sh $(BIN) $(ARGS)

lint: $(DEV)  ## Style, and imports that point down only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache

format: $(DEV)  ## Put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

types: $(DEV)  ## mypy --strict
	@$(BIN)/mypy

check: lint types test  ## All three

bench: $(DEV)  ## Measure latencies and capacity on this machine
	@$(BIN)/python -m tests.bench $(ARGS)

bench-media: $(DEV)  ## How many calls one gateway carries, beside a bare echo of the same frames
	@$(BIN)/python -m tests.bench.media $(ARGS)

bench-proxy: $(DEV)  ## What the model proxy adds, beside a direct request and a bare reverse proxy
	@$(BIN)/python -m tests.bench.proxy $(ARGS)

bench-redaction: $(DEV)  ## Score the redaction on labelled calls, beside plain Presidio (ARGS=--json)
	@$(BIN)/python -m tests.bench.redaction $(ARGS)

bench-recording: $(DEV)  ## What a recogniser still hears in redacted recordings, and what is lost for it (ARGS=--json)
	@$(BIN)/python -m tests.bench.recording $(ARGS)

bench-evidence: $(DEV)  ## How fast one core verifies a bundle of evidence, and with how much memory (ARGS=--json)
	@$(BIN)/python -m tests.bench.evidence $(ARGS)

bench-rights: $(DEV)  ## What access, erasure and an incident's scope cost, over a short history and a million hops (ARGS=--json)
	@$(BIN)/python -m tests.bench.rights $(ARGS)

# Its packages and ours cannot be installed side by side.
pipecat: $(DEV)  ## Install Pipecat into .venv-pipecat (0.4 GB), so that the tests with it run too
	@$(BIN)/python -m venv .venv-pipecat
	@.venv-pipecat/bin/python -m pip install --quiet --disable-pip-version-check pipecat-ai==1.14.0

licences: $(DEV)  ## The licence of every package in .venv; fails on what we may not ship
	@$(BIN)/python tools/licences.py

# No index address may get into a lock: whoever installs uses their own.
COMPILE = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" $(ARGS)

lock:  ## Resolve the versions anew into the locks (needs uv; newest versions: ARGS=--upgrade)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 2; }
	$(COMPILE) --group build -o requirements.lock
	$(COMPILE) --group build --group dev -c requirements.lock -o requirements-dev.lock

clean:  ## Remove what was made here: .venv, caches, output
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis demo-output bench-output dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
