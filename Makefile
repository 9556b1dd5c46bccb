# Two commands: `make run` to try enkat, `make test` to test it. Everything else is for those who build it.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV = .venv
BIN = $(VENV)/bin
INSTANCE = $(or $(ENKAT_INSTANCE),instance)

.PHONY: run test attack check lint types bench lighthouse pictures translations clean

run: $(VENV)/.installed
	@mkdir -p $(INSTANCE)
	@[ -e $(INSTANCE)/enkat.db ] || { \
		$(BIN)/enkat demo --host $(HOST) --port $(PORT) > $(INSTANCE)/demo.txt.new && mv $(INSTANCE)/demo.txt.new $(INSTANCE)/demo.txt; }
	@[ ! -e $(INSTANCE)/demo.txt ] || cat $(INSTANCE)/demo.txt
	@echo
	@exec $(BIN)/enkat serve --host $(HOST) --port $(PORT)

test: $(VENV)/.tools $(VENV)/.browser
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

# The attacks at full length.
attack: $(VENV)/.tools $(VENV)/.browser
	ENKAT_ATTACK=full $(BIN)/pytest -n 2 --dist worksteal $(ARGS)

# What CI asks for after the tests.
check: lint types

lint: $(VENV)/.tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tools
	$(BIN)/mypy

bench: $(VENV)/.tools
	$(BIN)/python -m bench $(ARGS)

# Needs Node 20 or later and npm.
lighthouse: $(VENV)/.tools $(VENV)/.browser
	$(BIN)/python -m bench.lighthouse $(ARGS)

pictures: $(VENV)/.tools $(VENV)/.browser
	$(BIN)/python docs/pictures.py

# After changing a text: extract, and bring every language's catalogue up to date.
translations: $(VENV)/.tools
	$(BIN)/python translations/update.py

# Debian keeps `venv` in a package of its own; where it is missing and we may, we add it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "enkat needs Python 3.11 or later; name one with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh ./.ci/apt-install \
		"$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tools: $(BIN)/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

# A browser of the system's is used where there is one; the tests say so where there is none.
$(VENV)/.browser: $(BIN)/python
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || sh ./.ci/apt-install chromium || \
		$(BIN)/playwright install chromium || echo "no browser could be installed" >&2
	@command -v firefox firefox-esr >/dev/null 2>&1 || sh ./.ci/apt-install firefox-esr || \
		echo "no Firefox could be installed: the journeys in Firefox are left out" >&2
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
