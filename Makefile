# `make run` shows what simlab does; `make test` checks everything. Both make .venv first, once.

PYTHON ?= python3
BIN := .venv/bin
# Nothing is compiled ahead: of the modules that come, most are never imported.
# (setuptools warns of what every editable installation is like.)
install = PYTHONWARNINGS='ignore:Editable installation' $(1)/bin/pip install --quiet --disable-pip-version-check --no-compile
DECLARED := setup.cfg pyproject.toml
# In real time two tests run at once, as each waits most of the time, if the relay may have priority (docs/metrics.md).
AT_ONCE := $(if $(filter 0,$(shell id -u)),2,0)

# The tests start hundreds of processes, each of which would compile anew all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lower-bounds bench bench-table agreement determinism notebooks opus-packets format clean

run: .venv/.installed
	@$(BIN)/simlab run profiles/flaky.toml

test: .venv/.installed-with-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin --no-warn-unreachable --cache-dir .mypy_cache/darwin
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --ignore tests/live --ignore tests/conformance --ignore tests/e2e
	$(BIN)/python -m pytest -q -n $(AT_ONCE) --dist loadfile tests/live tests/conformance tests/e2e

# The tests that take no real time, with the oldest version of each dependency that setup.cfg allows.
lower-bounds: .venv-oldest/.installed
	.venv-oldest/bin/python -m pytest -q -n 2 --dist worksteal --ignore tests/live --ignore tests/conformance --ignore tests/e2e

# Nothing else may run beside it. A figure that is not as wanted is marked, and makes it fail.
bench: .venv/.installed-with-tests
	$(BIN)/python -m benchmarks results/bench.json

# Puts what `make bench` measured last into the README.
bench-table: .venv/.installed-with-tests
	$(BIN)/python -m benchmarks.table results/bench.json README.md

# Nothing else may run beside it, either: most of its five minutes are real time.
agreement: .venv/.installed-with-tests
	$(BIN)/python -m benchmarks.agreement results/agreement.json

# Every session twice, in processes that order their sets differently; half an hour.
determinism: .venv/.installed-with-tests
	$(BIN)/python -m benchmarks.determinism

# What the notebooks show is kept in them, and a test compares it.
notebooks: .venv/.installed-with-tests
	$(BIN)/python -m tests.notebooks.execute

# The tone and the silence in Opus, as files of the package.
opus-packets: .venv/.installed-with-tests
	$(BIN)/python -m tests.webrtc.opus_packets

format: .venv/.installed-with-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .venv-oldest build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/.installed: $(DECLARED) | $(BIN)/pip
	@echo "Installing simlab into .venv; the first time, this takes a minute."
	@$(call install,.venv) --editable .
	@touch $@

.venv/.installed-with-tests: $(DECLARED) | $(BIN)/pip
	@echo "Installing simlab and what its tests need into .venv; the first time, this takes a few minutes."
	@$(call install,.venv) --editable '.[test,pipecat,browser,distributed,fast]'
	@touch $@ .venv/.installed

.venv-oldest/.installed: $(DECLARED)
	$(PYTHON) -m venv --clear .venv-oldest
	sed -nE 's/^    ([A-Za-z0-9_.-]+)(\[[a-z,]+\])? >= ([0-9.]+)$$/\1==\3/p' setup.cfg > .venv-oldest/oldest.txt
	$(call install,.venv-oldest) --constraint .venv-oldest/oldest.txt --editable '.[test,distributed,fast]'
	@touch $@

# A Debian without python3-venv leaves half a .venv behind, without pip.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "simlab needs Python 3.11 or later; say which one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { rm -rf .venv; virtualenv -q -p $(PYTHON) .venv 2>/dev/null; } || \
	    { rm -rf .venv; echo "Cannot make a virtual environment. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
# Pip 26 needs 21 s of the processor to find out what to install, where Python 3.11's own needs 72.
	@$(call install,.venv) --upgrade pip >/dev/null 2>&1 || true
