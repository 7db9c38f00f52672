# Everything a person or a machine runs here. `make help` lists it.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
STAMP := $(VENV)/.installed

.PHONY: help demo serve test test-deps torture bench rules-mutants check format lock goldens clean

help:  ## list what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it with PYTHON=…"; exit 2; }
	@echo "installing into $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock >$(VENV)/install.log 2>&1 || { tail -n 40 $(VENV)/install.log; exit 1; }
	@$(PIP) --no-deps --no-build-isolation -e . >$(VENV)/install.log 2>&1 || { tail -n 40 $(VENV)/install.log; exit 1; }
	@touch $@

demo: $(STAMP)  ## a track is generated, measured, certified, badged and verified (FAST=1 reuses the last take)
	@$(BIN)/python -m examples.demo $(if $(FAST),--fast)

serve: $(STAMP)  ## serve what the demo made on 127.0.0.1:$(PORT)
	@test -d var/demo/service || { echo "There is nothing to serve yet: run 'make demo' first."; exit 2; }
	@$(BIN)/certifier serve --home var/demo/service --port $(PORT)

test-deps: $(STAMP)  ## install what the tests need beyond Python packages (programs, npm packages), or list it
	@bash scripts/test_deps.sh

test: test-deps  ## all tests (no network); about half of their time they wait, so twice as many workers as cores
	@$(BIN)/python -m pytest -n $(or $(WORKERS),$(shell expr 2 \* $$(nproc 2>/dev/null || echo 2))) --dist worksteal

torture: $(STAMP)  ## the same faults many more times, every system call, and foreign judges (KILLS=200 CUTS=500 REQUESTS=20000)
	@bash scripts/test_deps.sh torture
	@KILLS=$(or $(KILLS),200) CUTS=$(or $(CUTS),500) $(BIN)/python -m pytest tests/faults tests/torture

bench: $(STAMP)  ## measure, on a quiet machine: log and verification beside peers, the service with writers and readers
	@bash scripts/test_deps.sh bench
	@$(BIN)/python -m bench

rules-mutants: $(STAMP)  ## break the standard in every small way and see that a case notices (one to four minutes)
	@$(BIN)/python scripts/rule_mutants.py

check: $(STAMP)  ## lint, format, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)  ## put the code into its format
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

goldens: $(STAMP)  ## remake the golden files; read the difference before you commit it
	@$(BIN)/python scripts/remake_goldens.py
	@$(BIN)/python scripts/make_cases.py
	@$(BIN)/python scripts/make_trial_draft.py

lock: $(STAMP)  ## resolve the dependencies anew
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --no-annotate --no-header --quiet --upgrade -o requirements.lock pyproject.toml

clean:  ## remove what make made, the demo's data too
	@rm -rf $(VENV) var tests/foreign/node/node_modules
