# make demo   a language model learns Kuhn poker by playing itself (a few minutes, no downloads)
# make test   the whole test suite
# make check  format, lint, types, layers
# Each makes .venv and installs what it needs, once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
STAMP  := $(VENV)/.installed
INPUTS := pyproject.toml constraints.txt

.PHONY: demo test check format clean

demo: $(STAMP)
	$(BIN)/sparring train kuhn

test: $(STAMP)-test
	$(BIN)/python -m pytest -n 2

check: $(STAMP)-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "sparring needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The editable install makes `sparring` runnable and the folders importable as sparring.*.
$(STAMP): $(BIN)/python $(INPUTS)
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(STAMP)-test: $(STAMP)
	$(PIP) install -c constraints.txt -e '.[test]'
	@touch $@

$(STAMP)-dev: $(STAMP)-test
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@
