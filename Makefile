# Everything is done through these targets; `make help` lists them.
# Set-up is part of each: the first `make run` or `make test` on a fresh machine does all of it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
T ?=
WORKERS ?= 2
MINUTES ?= 20

.DEFAULT_GOAL := help
.PHONY: help setup run status down check scan lint format types imports house test test-slow test-all bench \
	chaos db-reset migrate migration i18n openapi print-preview fonts frontend screenshots

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install all that is needed, into this folder only
ifeq ($(strip $(PYTHON)),)
	@echo "Python 3.11 was not found. Install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 3
else
	@$(PYTHON) .ci/set_up.py
endif

run: setup ## Run Giftpad here until Ctrl-C (GIFTPAD_HOME, GIFTPAD_PORT)
	@exec $(BIN)/giftpad up

status: setup ## Show what runs, part by part
	@$(BIN)/giftpad status

down: setup ## Stop a Giftpad that runs in the background
	@$(BIN)/giftpad down

scan: setup ## Look through the code by rules of ours (.semgrep) and by bandit
	@$(BIN)/python .ci/scan.py

check: lint types imports house ## All that can be said without running the tests

lint: setup ## Style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make format"; exit 1; }

format: setup ## Bring all files into the one format
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

types: setup ## Types, strictly
	@$(BIN)/mypy
	@cd giftpad/portals/frontend && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent types

imports: setup ## The shelf: who may import whom; packages used and declared
	@$(BIN)/lint-imports --no-logo --cache-dir .venv/import-linter
	@$(BIN)/deptry .

house: setup ## The rules of the house, as tests; translations, contract and access matrix up to date
	@$(BIN)/pytest tests/house -q
	@$(BIN)/giftpad messages --check
	@$(BIN)/giftpad openapi --check
	@$(BIN)/giftpad access --check

test: setup ## All tests but the slow and the long ones; T=tests/ledger for some, slow ones too
	@$(BIN)/pytest $(T) -q -n $(WORKERS) --dist loadscope -m "not long$(if $(T),, and not slow)"

test-slow: setup ## The slow ones: pages in a browser, programs that are started and killed
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadscope -m "slow and not long"

test-all: setup scan ## All tests, also those that take minutes; the scans first
	@$(BIN)/pytest $(T) -q -n $(WORKERS) --dist loadscope

chaos: setup ## Kill, cut, fill and fail over a Giftpad under load; MINUTES=2 (short form) to 20 (all), SEED=7
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: setup ## Measure it against peers on this machine; BENCH="B1 B6", BENCH="--short B1", BENCH=--growth
	@$(BIN)/python -m bench $(BENCH)

db-reset: setup ## Remove the data folder's database, queue, files and keys
	@$(BIN)/giftpad reset --yes

migrate: setup ## Bring the database to the newest schema (make run does it by itself)
	@$(BIN)/giftpad migrate

migration: setup ## Begin a migration: make migration m="shops: Add shops.colour"
	@$(BIN)/python .ci/new_migration.py "$(m)"

i18n: setup ## Gather the sentences to translate, then compile the translations
	@$(BIN)/giftpad messages
	@$(BIN)/pybabel -q compile -d translations

openapi: setup ## Write the API's contract from its routes
	@$(BIN)/giftpad openapi

print-preview: setup ## Draw the previews of the print templates anew
	@$(BIN)/python -c 'from giftpad import printing; print(*printing.write_previews(), sep="\n")'

fonts: setup ## Cut the fonts of the pages anew (setup does it when a translation changes)
	@$(BIN)/python .ci/make_fonts.py

screenshots: setup ## Draw every page and state into var/screenshots, looking for faults (README=1: docs/pictures)
	@$(BIN)/python -m tests.browser.gallery $(if $(README),--readme)

frontend: setup ## Build the styles and scripts of the pages anew (setup does it when one changes)
	@cd giftpad/portals/frontend && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build
