# The only entry point, for people and for CI. It needs Python 3.11 or newer, make and git, and installs the rest.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PACKAGES := shared migrations services/announce services/scoring services/admin_api deploy/embedded
PROJECTS := $(PACKAGES:%=%/pyproject.toml)

CLIENT := frontend/src/api/generated/index.ts
FRONTEND := frontend/dist/index.html
FRONTEND_SOURCES := frontend/index.html frontend/vite.config.ts frontend/tsconfig.json \
	$(shell find frontend/src frontend/public -type f ! -path 'frontend/src/api/generated/*')

FAST_TESTS := tests/unit tests/contract tests/architecture
PYTEST := $(BIN)/python -m pytest
# Tests of one service run two at a time; a module stays whole, since its tests share servers. Tests that start whole trackers
# run alone, because they check how soon a tracker is back.
SERVICE_TESTS := tests/integration/admin_api tests/integration/announce tests/integration/scoring tests/integration/migrations tests/integration/lab
WORKERS ?= 2
PARALLEL := -n $(WORKERS) --dist loadfile
# Real clients need their own addresses; the other tests need a network to install from.
E2E := $(BIN)/python -m tests.support.netns $(PYTEST) tests/e2e
SERVICES := $(PYTEST) $(PARALLEL) $(SERVICE_TESTS)
SLOW := $(PYTEST) tests $(FAST_TESTS:%=--ignore=%) $(SERVICE_TESTS:%=--ignore=%) --ignore=tests/frontend --ignore=tests/e2e \
	--ignore=tests/containers
# In a separate process: the browser's driver keeps an event loop running, and asynchronous tests can't run with it.
BROWSER := $(PYTEST) tests/frontend
# On the machine's Docker engine, or one that is brought up for them in network namespaces. The first test builds all images.
CONTAINERS := $(BIN)/python -m tests.support.engine $(PYTEST) --timeout 1800 tests/containers

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What runs the tracker. Our own packages are installed as links into this checkout.
$(VENV)/run.stamp: deploy/embedded/requirements.txt $(PROJECTS)
	@echo "Installing what the tracker needs (the first time this takes a minute)"
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "etracker needs Python 3.11 or newer")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes -r $<
	$(PIP) install --quiet --no-deps --no-build-isolation $(PACKAGES:%=-e ./%)
	@touch $@

# What checks and tests it.
$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing what the checks and tests need"
	$(PIP) install --require-hashes -r $<
	@touch $@

# The frontend: its packages, the client made from the API's document, and what the gateway serves.
frontend/node_modules/run.stamp: frontend/package-lock.json frontend/.npmrc | $(VENV)/run.stamp
	@echo "Installing what builds the frontend"
	@sh deploy/npm.sh ci --omit=dev --no-progress
	@touch $@

frontend/node_modules/dev.stamp: frontend/package-lock.json frontend/.npmrc | $(VENV)/run.stamp
	@echo "Installing what builds and checks the frontend"
	@sh deploy/npm.sh ci --no-progress
	@touch frontend/node_modules/run.stamp $@

$(CLIENT): docs/openapi.json frontend/openapi-ts.config.ts frontend/node_modules/run.stamp
	@sh deploy/npm.sh run --silent generate
	@touch $@

$(FRONTEND): $(FRONTEND_SOURCES) $(CLIENT)
	@echo "Building the frontend"
	@sh deploy/npm.sh exec --no -- vite build --logLevel warn
	@touch $@

.PHONY: install
install: $(VENV)/dev.stamp frontend/node_modules/dev.stamp $(CLIENT) ## Install everything into .venv

.PHONY: frontend
frontend: $(FRONTEND) ## Build the frontend into frontend/dist

.PHONY: run
run: $(VENV)/run.stamp $(FRONTEND) ## Run the whole tracker; its data stays in .data
	@exec $(BIN)/python -m etracker_stack

.PHONY: dev
dev: $(VENV)/run.stamp $(CLIENT) ## Run the tracker with the frontend from its sources, with live reload
	@exec sh deploy/dev.sh

.PHONY: migrate
migrate: $(VENV)/run.stamp ## Migrate the database named by PGHOST and related variables to the newest version
	$(BIN)/python -m etracker_migrations

.PHONY: api-key
api-key: $(VENV)/run.stamp ## Replace the API key of the tracker and print the new one
	@exec $(BIN)/python -m etracker_stack.api_key

.PHONY: psql
psql: $(VENV)/run.stamp ## Open psql on the running tracker's database
	@exec $(BIN)/python -m etracker_stack.postgres_tools psql

.PHONY: dump
dump: $(VENV)/run.stamp ## Write a backup of the running tracker's database to standard output
	@exec $(BIN)/python -m etracker_stack.postgres_tools pg_dump --format=custom --no-privileges

.PHONY: restore
restore: $(VENV)/run.stamp ## Replace the running tracker's database with a backup from standard input
	@exec $(BIN)/python -m etracker_stack.restore

.PHONY: repair-redis
repair-redis: $(VENV)/run.stamp ## Repair Redis' append-only file; the tracker must not be running
	@exec $(BIN)/python -m etracker_stack.redis_files

.PHONY: lint
lint: $(VENV)/dev.stamp frontend/node_modules/dev.stamp $(CLIENT) ## Check formatting, lint, types and the architecture's contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@for project in $(PACKAGES); do (cd $$project && $(CURDIR)/$(BIN)/deptry .) || exit 1; done
	sh deploy/npm.sh run --silent format:check
	sh deploy/npm.sh run --silent lint
	sh deploy/npm.sh run --silent types

.PHONY: openapi
openapi: $(VENV)/dev.stamp ## Write docs/openapi.json from the admin API's routes
	$(BIN)/python -m etracker_admin_api --openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

.PHONY: settings
settings: $(VENV)/run.stamp ## Write the tables of settings in docs/data.md from where the settings are declared
	$(BIN)/python -m scripts.list_settings

.PHONY: decisions
decisions: $(VENV)/run.stamp ## Write the list of decision records, docs/adr/README.md
	$(BIN)/python -m scripts.list_decisions

.PHONY: migration
migration: $(VENV)/dev.stamp ## Create a migration: make migration name=what_it_does
	@test -n "$(name)" || { echo "Say what it does: make migration name=torrents_have_a_category" >&2; exit 2; }
	$(BIN)/python -m etracker_migrations.begin "$(name)"

.PHONY: check
check: lint system-programs ## Run lint and the fast tests; green at every commit
	$(PYTEST) $(PARALLEL) $(FAST_TESTS)
	sh deploy/npm.sh run --silent test

.PHONY: test
test: check $(FRONTEND) ## Run check, then every other test on real servers, in a real browser and with real BitTorrent clients
	$(SERVICES) -m "not full"
	$(SLOW) -m "not full"
	$(BROWSER) -m "not full"
	$(E2E) -m "not full"

.PHONY: test-full
test-full: check $(FRONTEND) ## Run all tests, with the long forms of the fault, load and client tests
	$(SERVICES)
	$(SLOW)
	$(BROWSER)
	$(E2E)
	$(CONTAINERS)

.PHONY: test-containers
test-containers: $(VENV)/dev.stamp system-programs ## Build, start, kill, upgrade and restore the containers on a real Docker engine
	$(CONTAINERS) $(TESTS)

SIEGE_SECONDS ?= 3600
.PHONY: siege
siege: $(VENV)/dev.stamp $(FRONTEND) system-programs ## Attack the tracker in every known way for an hour (SIEGE_SECONDS=600 for less)
	ETRACKER_SIEGE_SECONDS=$(SIEGE_SECONDS) $(E2E)/siege -m full

.PHONY: bench
bench: $(VENV)/dev.stamp system-programs ## Measure the cost of an announce, compared with other trackers
	$(BIN)/python -m bench $(BENCH)

.PHONY: equilibrium
equilibrium: $(VENV)/dev.stamp ## Simulate how every selection policy affects each kind of user (25 minutes); writes docs/equilibrium.md
	$(BIN)/python -m lab

.PHONY: equilibrium-quick
equilibrium-quick: $(VENV)/dev.stamp ## Simulate the same with fewer runs (4 minutes)
	$(BIN)/python -m lab --quick

.PHONY: equilibrium-real
equilibrium-real: $(VENV)/dev.stamp ## Measure the same with libtorrent clients of limited bandwidth (12 minutes, Linux with tc); REAL="--runs 8"
	$(BIN)/python -m lab.real --docs $(REAL)

.PHONY: detection
detection: $(VENV)/dev.stamp ## Count which simulated offenders the detector finds (15 minutes); writes docs/detection.md
	$(BIN)/python -m lab.detection --docs

.PHONY: install-system
install-system: ## Install the Debian packages that end-to-end tests and the benchmark need
	sh deploy/install_system.sh

.PHONY: system-programs
system-programs:
	@sh deploy/install_system.sh --if-missing

.PHONY: lock
lock: $(VENV)/dev.stamp ## Resolve and hash the dependencies (LOCK=--upgrade for the newest)
	$(BIN)/python deploy/lock.py $(LOCK)

.PHONY: clean
clean: ## Remove the tools' output; the tracker's data in .data stays
	rm -rf $(VENV) build frontend/node_modules frontend/dist frontend/src/api/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -o -name '*.egg-info' | xargs rm -rf
