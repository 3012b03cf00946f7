# What developers run, in the environment that the README's two lines make ("pip install '.[dev]'" for lint).
PYTHON ?= .venv/bin/python

.PHONY: help test test-all coverage lint man bench release

help:
	@echo 'make test      the quick suite: two minutes on two processors'
	@echo 'make test-all  every test, with many examples; nothing may be skipped'
	@echo 'make coverage  the quick suite, and what of geocli it runs'
	@echo 'make lint      style and types'
	@echo 'make man       the manual page anew'
	@echo 'make release   all files of a release, in dist/; docs/releasing.md'
	@echo 'make bench     how long commands take; tests/benchmarks/README.md'

test:
	$(PYTHON) -m pytest

test-all:
	GEOCLI_TEST_NO_SKIPS=1 $(PYTHON) -m pytest -m '' --hypothesis-profile=thorough --durations=20

coverage:
	$(PYTHON) -m pytest --cov --cov-report=term --cov-report=html

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

man:
	$(PYTHON) -m tools.manpage > geocli/data/geocli.1

release:
	$(PYTHON) -m tools.release

bench:
	$(PYTHON) -m tests.benchmarks
