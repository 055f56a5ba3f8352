# Needs Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# A folder of tests/frameworks each, with an environment of its own: frameworks can't share one.
FRAMEWORKS := $(notdir $(patsubst %/requirements.in,%,$(wildcard tests/frameworks/*/requirements.in)))
ENVIRONMENTS := .frameworks
LOCKED = --constraint tests/frameworks/$*/requirements.lock

.PHONY: replay test test-frameworks canary coverage lint bench clean

replay: $(READY)  ## replay the shipped golden traces, every tool stubbed
	$(BIN)/pytest --agent-replay golden_traces

test: $(READY)  ## run the whole suite
	$(BIN)/pytest -n 2

test-frameworks: $(FRAMEWORKS:%=framework-%)  ## run the adapters' tests, at the versions of the lock files

canary:  ## run them at the newest versions there are
	$(MAKE) test-frameworks ENVIRONMENTS=.canary LOCKED=--upgrade

framework-%:
	test -x $(ENVIRONMENTS)/$*/bin/python || $(PYTHON) -m venv $(ENVIRONMENTS)/$*
	$(ENVIRONMENTS)/$*/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(ENVIRONMENTS)/$*/bin/python -m pip install --quiet $(LOCKED) --requirement tests/frameworks/$*/requirements.in --editable .
	$(ENVIRONMENTS)/$*/bin/pytest -c tests/frameworks/pytest.ini tests/frameworks/$*

coverage: $(READY)  ## run the whole suite and show the branches that no test takes
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(READY)  ## style, types and the layers of the architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)  ## what a call costs; not part of the tests
	$(BIN)/python tests/benchmarks

clean:
	rm -rf .venv .frameworks .canary build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests golden_traces -name __pycache__ -type d -prune -exec rm -rf {} +

# pip 25.1 is the first that reads dependency groups.
$(READY): pyproject.toml entry/pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@
