# make demo, make app, make test and make check set up what they need by themselves:
# a virtual environment in .venv with exactly the versions and hashes of requirements.lock.

# The first Python that is new enough; name another with PYTHON=...
NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p $(NEW_ENOUGH) && { echo $$p; break; }; done)
WORKERS ?= 2
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
READY := $(VENV)/.ready
# Python keeps what it compiled, also where the environment says not to: every process starts three times as fast
export PYTHONDONTWRITEBYTECODE =
# loops compiled before tests run, whose solves have a time limit
PREPARE = $(BIN)/python -c "from optimizer.prepare import prepare; prepare()"

# May we install system packages without asking anyone? Sets $$root to the prefix that does it.
MAY_APT = command -v apt-get >/dev/null 2>&1 && \
	{ if [ "$$(id -u)" = 0 ]; then root=; else root='sudo -n'; sudo -n true 2>/dev/null; fi; }
APT_INSTALL = $$root apt-get -q update && \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install
# Sets $$uv: the machine's own uv where it runs, else the pinned one in the virtual environment.
FIND_UV = uv=uv; uv --version >/dev/null 2>&1 || uv=$(BIN)/uv
# Is there a browser, and does playwright's driver start (on Linux it needs libatomic)?
HAVE_BROWSER = { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1 && \
	$(BIN)/python -m playwright --version >/dev/null 2>&1

.DEFAULT_GOAL := help
.PHONY: help setup demo app check lint test chromium lock clean

help:  ## show this list
	@echo "Bookfit: which account goes to which rep. Targets:"
	@awk -F ':.*## *' '/^[a-z]+:.*##/ { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY)  ## make the virtual environment (every other target does it when needed)

demo: $(READY)  ## solve the demo company and print today against the new plans
	@$(BIN)/bookfit demo

app: $(READY)  ## open the app in the browser
	@$(BIN)/bookfit app

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint  ## lint, types and the quick tests
	@$(PREPARE)
	$(BIN)/python -m pytest -m "not browser and not slow" -n $(WORKERS) --dist loadfile

test: $(READY) chromium  ## everything, browser tests included
	@$(PREPARE) & \
	failed=; $(MAKE) --no-print-directory lint || failed="lint or types"; wait; \
	$(BIN)/python -m pytest -rs -n $(WORKERS) --dist loadfile || failed="$${failed:+$$failed, }tests"; \
	test -z "$$failed" || { echo "FAILED: $$failed (see above)"; exit 1; }

chromium: $(READY)  ## install Debian's chromium for the browser tests, where that is possible
	@if $(HAVE_BROWSER); then exit 0; fi; \
	if $(MAY_APT); then \
		echo "Installing chromium for the browser tests ..."; \
		{ $(APT_INSTALL) chromium libatomic1; } >/dev/null || echo "apt-get could not install chromium."; \
	fi; \
	$(HAVE_BROWSER) || { \
		echo "NOTE: there is no usable chromium here and none can be installed (that takes apt-get and root or"; \
		echo "passwordless sudo), so the browser tests are skipped. Install chromium to run them."; }

lock: $(READY)  ## renew requirements.lock after changing pyproject.toml (ARGS=--upgrade for newer versions)
	@$(FIND_UV); $$uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--fork-strategy fewest --generate-hashes --no-annotate --custom-compile-command "make lock" \
		$(ARGS) --quiet --output-file requirements.lock

clean:  ## remove the virtual environment and every cache
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# 1. a Python that is new enough, 2. an empty virtual environment, 3. uv, 4. the locked packages, 5. Bookfit itself.
# Where uv is missing, pip fetches the one that requirements.lock pins, its hash checked like every other.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) $(NEW_ENOUGH) || { \
		echo "Bookfit needs Python 3.11 or newer, and found none. Install it, or say where it is:"; \
		echo "  make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(BIN)/python $(NEW_ENOUGH) || { \
		echo "Setting up $(VENV) (once) ..."; rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }
	@$(FIND_UV); $$uv --version >/dev/null 2>&1 || { \
		echo "Getting uv ..."; \
		sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.txt; \
		$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(PYTHON) -m pip --version >/dev/null 2>&1 || \
			{ $(MAY_APT) && { $(APT_INSTALL) python3-venv; } >/dev/null; } || { \
			echo "This Python has neither pip nor ensurepip, and they cannot be installed from here."; \
			echo "Install uv, or Debian's package python3-venv, and try again."; exit 1; }; \
		{ $(BIN)/python -m ensurepip >/dev/null 2>&1 && $(BIN)/python -m pip install -q --require-hashes -r $(VENV)/uv.txt; } || \
			$(PYTHON) -m pip --python $(BIN)/python install -q --require-hashes -r $(VENV)/uv.txt; }
	@$(FIND_UV); $$uv pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@$(FIND_UV); $$uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
