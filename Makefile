# Every command. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes
WORKERS ?= 2
PROOFS := tests/comments/test_idempotency.py tests/moderation/test_deciding.py tests/proof/test_f04_privacy.py

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts proofs browser lock clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.venv/.runtime: requirements.lock
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	@touch $@

demo: .venv/.runtime  ## Try it: http://127.0.0.1:8080 with a review page, a desk and a login
	@$(BIN)/greenroom demo

test: .venv/.dev  ## The suite on SQLite and PostgreSQL, limits on Valkey, all from wheels
	$(BIN)/python -m pytest -n $(WORKERS) -m "not browser"

check: lint types contracts test proofs browser  ## Everything the continuous build runs

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

contracts: .venv/.dev
	$(BIN)/lint-imports --no-logo

proofs: .venv/.dev  ## The races and the sweep for addresses, at their full size
	GREENROOM_PROOFS=10 $(BIN)/python -m pytest -n $(WORKERS) $(PROOFS)

browser: .venv/.dev  ## The stories in a real Chromium (needs /usr/bin/chromium)
	$(BIN)/python -m pytest -m browser

lock: .venv/.dev  ## Resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

clean:  ## Remove the virtual environment and caches; data and keys stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
