# The commands of a developer. Each target installs the packages that it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := .:layers/core
export PYTHONUNBUFFERED := 1

.PHONY: help start quick test coverage check day bench bench-image build deploy-test sam-test engine validate
.PHONY: smoke bill container-test lint docs-test screenshots
.PHONY: scan scan-template scan-packages format lock clean

INFRA := tests/infrastructure
SAM := .venv-sam
MINISTACK := .venv-ministack
SCAN := .venv-scan

# Each lock is a part of requirements-dev.txt, so that all locks have the same version of a package.
LOCKED := layers/core/requirements layers/yahoo/requirements functions/api/requirements local/requirements
COMPILE := $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# --no-deps: a lock names every package, so pip need not resolve dependencies. When pip resolves the extras of
# a package, it may find a newer release than the locked one, and then it stops because of the hash.
INSTALL := pip install -qq --disable-pip-version-check --no-deps

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

start: $(VENV)/.run ## run the whole service on this machine until Ctrl-C
	@$(BIN)/python -m local start

# Four workers keep two processors busy, because many tests wait for a server. One worker runs all tests of a
# file, so that shared fixtures are made once. tests/conftest.py says which files begin first.
WORKERS := -n 4 --dist loadfile --no-loadscope-reorder

quick: $(VENV)/.dev ## run the unit tests, in under a minute
	@$(BIN)/python -m pytest -q -n 3 tests/unit $(ARGS)

test: $(VENV)/.dev ## run every suite except the benchmarks and those with another target
	@$(BIN)/python -m pytest -q $(WORKERS) $(ARGS)

screenshots: $(VENV)/.dev ## take the pictures of the board in docs again; needs Chromium
	@$(BIN)/python -m tests.browser.screenshots

coverage: $(VENV)/.dev ## run the same suites, and say which lines no test reaches
	@$(BIN)/python -m pytest -q $(WORKERS) --cov --cov-report=term $(ARGS)

docs-test: $(VENV)/.dev ## run the commands of README and docs, and check the names in them
	@$(BIN)/python -m pytest -q tests/docs tests/e2e/test_client_snippets.py tests/simulator/test_simulated_market_page.py tests/infrastructure/test_guides.py tests/infrastructure/test_queries.py tests/infrastructure/test_alarms.py tests/unit/bill $(ARGS)

check: lint ## lint, types, then the tests
	@$(MAKE) --no-print-directory test

lint: $(VENV)/.dev ## format, lint and types, without the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy layers/core/marketdata local $(wildcard functions/*/app.py)

day: $(VENV)/.run ## simulate a whole day with faults in minutes, and check the results (ARGS="--seed 2 --hours 6")
	@$(BIN)/python -m local day $(ARGS)

bench: $(VENV)/.dev ## measure speed, side by side with simple implementations (ARGS="--json FILE")
	@$(BIN)/python -m tests.benchmarks $(ARGS)

bench-image: engine $(VENV)/.dev ## measure cold starts in the Lambda image; needs Docker
	@$(BIN)/python -m tests.benchmarks image first_event $(ARGS)

build: $(SAM)/.done ## build the AWS packages with SAM, on any host Python
	@PYTHON=$(abspath $(BIN)/python) $(SAM)/bin/sam build $(ARGS)

deploy-test: $(VENV)/.dev $(SAM)/.done $(MINISTACK)/.done ## build the packages, deploy them into an emulator of AWS, and test the service for a minute
	@$(BIN)/python -m pytest -q tests/packages -p no:cacheprovider
	@$(BIN)/python -m pytest tests/deployment -q -s -p no:cacheprovider --timeout 300 $(ARGS)

# The first run pulls images, so the timeout is long.
sam-test: engine $(VENV)/.dev $(SAM)/.done ## test the functions in the Lambda image with `sam local`; needs Docker
	@$(BIN)/python -m pytest --timeout 600 tests/sam_local $(ARGS)

container-test: engine $(VENV)/.dev ## build the container and test it with compose.yaml; needs Docker
	@docker build --tag market-data-aggregator .
	@$(BIN)/python -m pytest --timeout 600 tests/container $(ARGS)

smoke: $(VENV)/.run ## check a deployed service from outside (URL=https://... ARGS="--origin https://...")
	@$(BIN)/python -m tests.deployment.smoke $(URL) $(ARGS)

bill: $(VENV)/.run ## estimate a month on AWS (ARGS="--symbols 200 --requests-per-day 1000000")
	@$(BIN)/python -m local bill $(ARGS)

engine:
	@docker info >/dev/null 2>&1 || \
	  { echo "error: no Docker engine answers; install it (https://docs.docker.com/engine/install) or start it, then try again"; exit 1; }

validate: $(SAM)/.done ## lint the template and the state machines
	@$(SAM)/bin/sam validate --lint --region us-east-1
	@$(SAM)/bin/cfn-lint -t template.yaml -a cfn_lint_serverless.rules
	@npm ci --prefix $(INFRA) --no-audit --no-fund --silent
	@for file in functions/*.asl.json; do echo "$$file"; \
	  $(INFRA)/node_modules/.bin/asl-validator --json-definition "$$(sed 's/$${Partition}/aws/' $$file)" || exit 1; done

scan: scan-template scan-packages ## look for known weaknesses in the template and the packages

scan-template: $(SCAN)/.done
	@$(SCAN)/bin/checkov --config-file .checkov.yaml

# Strict: a package that cannot be looked up is an error.
scan-packages: $(SCAN)/.done
	@for lock in $(LOCKED:=.txt); do echo "audit   $$lock"; \
	  $(SCAN)/bin/pip-audit --strict --disable-pip --require-hashes -r $$lock || exit 1; done

format: $(VENV)/.dev ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/bin/python ## pin exact versions and hashes again from the *.in files
	@$(BIN)/python -m pip install --quiet pip-tools==7.6.2
	@echo "lock    requirements-dev.txt"; $(COMPILE) -o requirements-dev.txt requirements-dev.in $(LOCKED:=.in)
	@for part in $(INFRA)/requirements-sam $(INFRA)/requirements-scan $(INFRA)/requirements-ministack; do echo "lock    $$part.txt"; $(COMPILE) -o $$part.txt $$part.in; done
	@for part in $(LOCKED); do echo "lock    $$part.txt"; $(COMPILE) -c requirements-dev.txt -o $$part.txt $$part.in; done

clean: ## remove all files that the other targets made
	rm -rf $(VENV) $(SAM) $(SCAN) $(MINISTACK) $(INFRA)/node_modules .aws-sam .local .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

# Tools with many pinned packages have separate environments.
$(SAM)/.done: $(INFRA)/requirements-sam.txt $(VENV)/.run
$(SCAN)/.done: $(INFRA)/requirements-scan.txt
$(MINISTACK)/.done: $(INFRA)/requirements-ministack.txt
$(SAM)/.done $(SCAN)/.done $(MINISTACK)/.done:
	@echo "setup   $(@D) (once, a minute or two)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m $(INSTALL) -r $<
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: $(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.13 $(MAKECMDGOALS)"; exit 1; }
	@echo "setup   virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements-run.txt $(LOCKED:=.txt) | $(VENV)/bin/python
	@echo "setup   packages of the service (once, about a minute)"
	@$(BIN)/python -m $(INSTALL) -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(INFRA)/requirements-translator.txt $(VENV)/.run
	@echo "setup   packages for the tests (once, about a minute)"
	@$(BIN)/python -m $(INSTALL) -r $<
	@$(BIN)/python -m $(INSTALL) -r $(INFRA)/requirements-translator.txt
	@$(BIN)/python -m local.service.redis_server >/dev/null
	@touch $@
