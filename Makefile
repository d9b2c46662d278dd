# The only commands of this project; CI calls these.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin

.PHONY: demo test lint docs check-docs golden bench clean
.DELETE_ON_ERROR:

$(VENV)/demo.stamp: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/demo.stamp
	$(BIN)/pip install --quiet 'pip>=25.1'
	$(BIN)/pip install --quiet --group dev
	@touch $@

demo: $(VENV)/demo.stamp  ## a scan of a made-up account and cluster, on this machine
	@$(BIN)/eks6check demo || [ $$? -eq 1 ]  # a scan that finds blockers ends with 1, and this one shall

test: $(VENV)/dev.stamp  ## the whole test-suite; what a test needs and cannot find, it names and skips
	$(BIN)/pytest -n auto

lint: $(VENV)/dev.stamp  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/dev.stamp  ## rewrite the generated pages
	$(BIN)/python docs/generate.py

check-docs: docs  ## fail if the generated pages were not up to date
	git diff --exit-code -- docs README.md

golden: $(VENV)/dev.stamp  ## rewrite the golden reports; review them as a diff
	EKS6CHECK_GOLDEN=write $(BIN)/pytest -q tests/test_golden.py

bench: $(VENV)/dev.stamp  ## the figures that README and docs/performance.md quote; CORPUS names a folder of manifests
	$(BIN)/python benchmarks/run.py $(CORPUS)
	PYTHONPATH=tests $(BIN)/python benchmarks/scan.py

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache
