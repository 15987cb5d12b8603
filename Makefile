# One entry per verb. Each target makes what it needs, so the first one on a fresh machine works.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help install demo test check format bench chaos clean

help: ## List these targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

install: .venv/installed ## Make .venv with `menwei` in it

demo: install ## Play the whole product: simulator, server and a page with four phones
	$(BIN)/menwei demo

test: install ## Run every test whose services are there; the others say what they miss
	$(BIN)/pytest -n 6 --dist worksteal

check: install ## Format, lint, types and architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## Put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/bench: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	touch $@

bench: .venv/bench ## Measure for some ten minutes, as ratios to a floor and to others in the same run
	$(BIN)/python -m tests.bench

MINUTES ?= 10
chaos: install ## A storm over three nodes, then a look for anything lost or doubled (MINUTES=10)
	$(BIN)/python -m tests.chaos --minutes $(MINUTES)

clean: ## Remove what the other targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
