# The commands of this repository. They need Python 3.11 or newer, make, and nothing else:
#   make compare       set up .venv, then measure the reference agent dense and compressed (ARGS="..." is passed on)
#   make test          set up .venv, then run the fast tests (ARGS="-k needle" is passed on)
#   make test-slow     the slow tests: builds and installs the package, trains and compares small models
#   make test-formats  loads our checkpoints in the other toolkits, and theirs here
#   make test-cross    the same, and runs beside vLLM and the tools that our results are exported to
#   make lint          ruff and strict mypy
#   make format        let ruff rewrite the files
#   make docs          build the pages in docs/ as a site, build/site; a broken link is an error
#   make docs-picture  draw the rooms in docs/architecture.md anew
#   make clean         remove what these commands made

PYTHON ?= python3
ARGS ?=

VENV := .venv
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# An editable installation is a link tree under build/, so the stamps lie there too: who deletes build/ gets both anew.
INSTALLED := build/installed
INSTALLED_DEV := build/installed-dev
TYPES := build/types

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: compare test test-slow test-formats test-cross lint format docs docs-picture clean

compare: $(INSTALLED)
	$(VENV)/bin/acgym compare $(ARGS)

test: $(INSTALLED_DEV)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto $(ARGS)

test-slow: $(INSTALLED_DEV)
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -m slow -n auto $(ARGS)

# The environments of the other toolkits take some minutes and 6 GB the first time (all of them 9 GB); see
# tests/cross/environments.py for where they are kept.
CROSS := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -m cross -n 2 --dist loadfile

test-formats: $(INSTALLED_DEV)
	$(CROSS) tests/cross/test_cross_read.py tests/cross/test_cross_write.py tests/cross/test_cross_autoawq.py $(ARGS)

test-cross: $(INSTALLED_DEV)
	$(CROSS) tests/cross $(ARGS)

# A type checker does not run acgym/__init__.py, which joins the four folders: it is shown them as one tree of links.
# It starts inside the tree, because it looks in the current folder first.
lint: $(INSTALLED_DEV)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	rm -rf $(TYPES)/acgym
	mkdir -p $(TYPES)/acgym
	ln -s "$(CURDIR)"/acgym/* "$(CURDIR)/envs" "$(CURDIR)/agents" "$(CURDIR)/compress" $(TYPES)/acgym/
	cd $(TYPES) && "$(CURDIR)/$(VENV)/bin/python" -m mypy --config-file "$(CURDIR)/pyproject.toml" -p acgym

format: $(INSTALLED_DEV)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(VENV)/pyvenv.cfg
	$(PIP_INSTALL) -e ".[docs]"
	@mkdir -p build && touch $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
	@echo "The site is build/site/index.html."

docs-picture:
	$(PYTHON) -m tests.helpers.rooms

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "acgym needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	  "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing acgym into $(VENV); this takes a minute or two the first time."
	$(PIP_INSTALL) -e .
	@mkdir -p $(@D) && touch $@

$(INSTALLED_DEV): $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing acgym and its test tools into $(VENV); this takes a minute or two the first time."
	$(PIP_INSTALL) -e ".[dev]"
	@mkdir -p $(@D) && touch $(INSTALLED) $@
