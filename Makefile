# TraceRoot. `make` lists what there is.
SHELL := /bin/bash
VENV ?= .venv
FUZZ_SECONDS ?= 60
FUZZ_EXAMPLES ?= 3000
PYTHON := $(VENV)/bin/python
MANAGE := $(PYTHON) manage.py
.DEFAULT_GOAL := help
.PHONY: help run demo dev prod test check bench soak golden vendor lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.txt deploy/install.sh
	@deploy/install.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt deploy/install.sh
	@deploy/install.sh $(VENV) tests/requirements.txt
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-fuzz: $(VENV)/.installed-tests tests/fuzz/requirements.txt
	@deploy/install.sh $(VENV) tests/fuzz/requirements.txt
	@touch $@

run: $(VENV)/.installed ## Start everything on embedded defaults in ./data
	@exec $(MANAGE) up

demo: $(VENV)/.installed ## The same with a demo project: agents, failures, detection, debugging
	@exec $(MANAGE) up --demo

dev: $(VENV)/.installed-tests ## Start with debug pages and reload on change
	@TRACEROOT_DEBUG=true exec $(MANAGE) up --reload

prod: ## Start the production shape through Docker Compose
	docker compose up --build

check: $(VENV)/.installed-tests ## Lint, types, layers, migrations, lock files
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	$(PYTHON) -m traceroot_site.vendor --check

test: $(VENV)/.installed-tests ## Run all tests: unit, PostgreSQL, Redis, engine, browser
	@deploy/test-engines.sh
	$(PYTHON) -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

bench: $(VENV)/.installed-tests ## Measure speed, as ratios to something run beside it
	$(PYTHON) -m benchmarks

soak: $(VENV)/.installed-fuzz ## Kill and outage campaigns, and fuzzing: what was acknowledged is there
	$(PYTHON) -m benchmarks.soak
	$(PYTHON) -m tests.fuzz --seconds $(FUZZ_SECONDS)
	TRACEROOT_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTHON) -m pytest -q tests/fuzz tests/traces/api/test_hostile_queries.py

golden: $(VENV)/.installed-tests ## Write the golden files anew; review the difference
	TRACEROOT_WRITE_GOLDEN=1 $(PYTHON) -m pytest -q $$(grep -rl 'import golden' tests --include='test_*.py')

vendor: $(VENV)/.installed ## Fetch the browser's libraries again (needs npm)
	$(PYTHON) -m traceroot_site.vendor

lock: ## Compile requirements.txt and tests/requirements.txt from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" -q -o requirements.txt
	uv pip compile pyproject.toml --group dev -c requirements.txt --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -q -o tests/requirements.txt
	uv pip compile --group soak --no-deps --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -q -o tests/fuzz/requirements.txt

clean: ## Remove the virtual environment and caches, never ./data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
