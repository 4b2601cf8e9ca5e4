# Everything here works on a machine that has Python 3.11, its venv module and make, and nothing else: each target builds
# `.venv` first if it is missing or older than the lock.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench fmt docs lock

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/project.stamp ## Build .venv, with roamgate in .venv/bin

demo: .venv/project.stamp ## Run a whole network against both sandbox hubs; DATA=FILE takes a real one, ARGS= goes to the command
	$(BIN)/python -m gateway demo $(if $(DATA),"$(DATA)") $(ARGS)

# A process for each processor, with a database server of its own: the tests wait for a good half of their time.
test: .venv/dev.stamp ## Run the tests, spread over processes; ARGS= goes to pytest, and -n 0 in it keeps them in one
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal $(ARGS)

check: .venv/dev.stamp ## Look for faults without running anything: ruff, mypy, import contracts
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

bench: .venv/dev.stamp ## Measure, print the figures and write build/bench.json; ARGS= goes to the benchmarks
	$(BIN)/python -m tests.benchmarks $(ARGS)

fmt: .venv/dev.stamp ## Format the code and mend what can be mended without thought
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

docs: .venv/dev.stamp ## Write docs/mappings/ anew from the tables
	$(BIN)/python -m docs.generate

# The locks hold hashes and no address, so that they say the same wherever packages come from. The development lock
# repeats the other's releases: what is tested is what runs.
lock: build/uv/bin/uv ## Resolve the dependencies anew, after a change of pyproject.toml; ARGS=--upgrade takes newer releases
	$(COMPILE) --group build --output-file requirements.lock $(ARGS)
	$(COMPILE) --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock $(ARGS)

COMPILE := build/uv/bin/uv pip compile pyproject.toml --extra embedded --quiet --generate-hashes --no-header \
	--no-emit-index-url --python-version 3.11 --universal

build/uv/bin/uv: | python
	"$(PYTHON)" -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv

# Built from nothing whenever the lock changes: a package that left the lock must not linger.
.venv/runtime.stamp: requirements.lock | python
	@echo "Building .venv from requirements.lock, once"
	@"$(PYTHON)" -m venv --clear .venv
	@$(PIP_INSTALL) --require-hashes --requirement requirements.lock
	@touch $@

# The checkout itself, for the command `roamgate`. setuptools comes from the lock and nothing is fetched.
.venv/project.stamp: pyproject.toml .venv/runtime.stamp
	@$(PIP_INSTALL) --no-deps --no-index --no-build-isolation --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/project.stamp
	@echo "Adding the development tools to .venv, once"
	@$(PIP_INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "roamgate needs Python 3.11 or newer, and there is no python3 here." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "roamgate needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot build virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; }
