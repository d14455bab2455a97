# Parvis in two commands: `make run` and `make test`. Needs Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help run test test-long lint format bench catalogues clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.run ## serve the demo city (or yours): database, web server, worker; Ctrl-C stops everything
	@exec $(BIN)/parvis run

test: $(VENV)/.test chromium ## install what the tests need, then run all of them
	@$(BIN)/pytest -n 2 --dist loadgroup

test-long: $(VENV)/.test ## the proofs that take long (thousands of writes, every cell of the matrix); prints their figures
	@$(BIN)/pytest -m long -n 0 tests

lint: $(VENV)/.test ## style, types, imports, templates, migrations, translations
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djangofmt --check src
	$(BIN)/parvis manage makemigrations --check --dry-run
	$(BIN)/parvis catalogues --check

format: $(VENV)/.test ## put code and templates in their common form
	$(BIN)/ruff check --fix src tests
	$(BIN)/ruff format src tests
	$(BIN)/djangofmt src

bench: $(VENV)/.test ## measure: prints the table of performance, writes bench.json under PARVIS_HOME
	@$(BIN)/parvis bench

catalogues: $(VENV)/.run ## bring the interface's translation catalogues up to date with the sources
	@$(BIN)/parvis catalogues

clean: ## remove the environment (your data under PARVIS_HOME stays)
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Parvis needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.lock
	@touch $@

# A browser for the tests: the system's, else Debian's through apt where we may, else Playwright's own.
.PHONY: chromium
chromium: $(VENV)/.test
	@if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then :; \
	elif command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else $(BIN)/playwright install chromium; fi
