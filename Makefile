# run: install and serve.  test: all tests.  check: format, lint, types, import direction.  bench: speed, as ratios.
PYTHON ?= python3
BIN := .venv/bin
LOG := var/install.log

.PHONY: run test check bench python
run: .venv/installed
	@webapp/frontend/build.sh || echo "The pages work without scripts; the next start tries again."
	@$(BIN)/python -m webapp

test: .venv/installed-dev
	@webapp/frontend/build.sh test
	$(BIN)/pytest -q -rfEs -n 2

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-dev
	$(BIN)/python tests/benchmarks/bench_feel_dmn.py
	$(BIN)/python -m tests.benchmarks.bench_engine
	$(BIN)/python tests/benchmarks/bench_pages.py
	$(BIN)/python -m tests.benchmarks.bench_many
	$(BIN)/python tests/benchmarks/bench_audit.py
	$(BIN)/python tests/benchmarks/bench_workers.py

.venv/installed: pyproject.toml requirements.lock | python
	@mkdir -p var
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv >$(LOG) 2>&1 || { echo "Could not make a virtual environment: install the venv module of $(PYTHON) (Debian: apt-get install python3-venv)."; exit 1; }
	@echo "Installing (once; about a minute) ..."
	@$(BIN)/pip install -q --require-hashes -r requirements.lock >$(LOG) 2>&1 && $(BIN)/pip install -q --no-deps -e . >>$(LOG) 2>&1 || { echo "Could not install the packages. Is the network there? Details: $(LOG)"; exit 1; }
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.lock >$(LOG) 2>&1 || { echo "Could not install the packages for tests. Is the network there? Details: $(LOG)"; exit 1; }
	@touch $@

# Only to read the event logs back in a test.
.venv-mining/installed: | python
	@$(PYTHON) -m venv .venv-mining && .venv-mining/bin/pip install -q pm4py==2.7.23.11 && touch $@

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Mamori needs Python 3.11 or newer as $(PYTHON); choose another with: make PYTHON=/path/to/python3"; exit 1; }
