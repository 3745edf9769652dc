# Every command. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
# Python compiles what is used when it is used, a fifth of what is installed.
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --require-hashes
WORKERS ?= 2
unexport PYTHONDONTWRITEBYTECODE  # the tests start many processes, which would compile everything each time

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types contracts node prove bench bench-quick fleet browser lock words npm-lock clean

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

.venv/.runtime: requirements.lock
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	@touch $@

tests/widget/node_modules/.installed: $(addprefix tests/widget/, package.json package-lock.json .npmrc)
	cd tests/widget && npm ci --silent
	@touch $@

demo: .venv/.runtime  ## Try it: http://127.0.0.1:8080 with a review page, a desk and a login
	@$(BIN)/greenroom demo

test: .venv/.dev  ## The suite on SQLite and PostgreSQL, limits on Valkey, all from wheels
	$(BIN)/python -m pytest -n $(WORKERS) -m "not browser and not fleet"

check: lint types contracts node test fleet browser  ## Everything the continuous build runs

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

contracts: .venv/.dev
	$(BIN)/lint-imports --no-logo

node: tests/widget/node_modules/.installed  ## The widget's types, and tests of its pure modules (needs Node.js)
	cd tests/widget && npx --no-install tsc --project .
	node --test --test-reporter=dot tests/widget/*.test.js

prove: .venv/.dev tests/widget/node_modules/.installed  ## Every figure at its full size, into docs/proof.md; `make prove F=4` for one
	$(BIN)/python -m tests.proof $(F)

bench: .venv/.dev  ## Beside Isso and Waline, into docs/benchmarks.md, 20 minutes (needs wrk, Node.js and two cores)
	$(BIN)/python -m benchmarks.bench

bench-quick: .venv/.dev  ## The same with less data, on the screen, 3 minutes
	$(BIN)/python -m benchmarks.bench --quick

browser: .venv/.dev tests/widget/node_modules/.installed  ## The stories in a real Chromium (needs /usr/bin/chromium and nginx)
	$(BIN)/python -m pytest -n $(WORKERS) -m browser

fleet: .venv/.dev  ## The services of docker-compose.yml as processes of this machine, and one of each killed
	$(BIN)/python -m pytest -m fleet

lock: .venv/.dev  ## Resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

words: .venv/.dev  ## Find the desk's sentences for its translators, and compile what they wrote
	$(BIN)/python docs/words.py

npm-lock:  ## Resolve the packages of the widget's tests anew
	cd tests/widget && npm install --package-lock-only --silent

clean:  ## Remove the virtual environment and caches; data and keys stay
	rm -rf tests/widget/node_modules .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
