# Every target says what it does: `make help`.
#
# Nothing has to be there but make and Python 3.11 or newer. What is installed goes into
# $(VENV), from the lock file; a second run finds its stamp there and installs nothing.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The folder of the virtual environment; another one keeps another Python beside the first:
# make test VENV=.venv-3.13 PYTHON=python3.13
VENV ?= .venv
# The Python that makes it; empty: the first of these that works.
PYTHON ?=
PYTHONS := python3.13 python3.12 python3.11 python3 python
UV_VERSION := 0.13.8

venv := $(abspath $(VENV))
bin := $(venv)/bin
uv := $(venv)/uv-$(UV_VERSION)/bin/uv
lock := pyproject.toml uv.lock

# What a shell had active must not decide where packages land.
unexport VIRTUAL_ENV
unexport PYTHONHOME
# Nor have every process compile all that it imports, each time anew.
unexport PYTHONDONTWRITEBYTECODE
sync = UV_PROJECT_ENVIRONMENT='$(venv)' UV_PYTHON='$(bin)/python' UV_PYTHON_DOWNLOADS=never \
	'$(uv)' sync --quiet --frozen

# Sources that style, types and coverage look at.
sources := src tests examples docs benchmarks .ci

.PHONY: help
help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: develop
develop: $(venv)/for-development ## Install everything that development needs, and the commit hooks
	@if [ -d .git ]; then '$(bin)/pre-commit' install >/dev/null; fi
	@echo 'Ready: . $(VENV)/bin/activate'

.PHONY: start
start: $(venv)/for-running ## Serve the shop on http://127.0.0.1:8080 (HTTP_PORT=… for another port)
	@echo 'Preparing the database of the shop'
	@cd examples/shop && LOG_LEVEL=WARNING '$(bin)/flask' --app wsgi db upgrade
	@cd examples/shop && LOG_LEVEL=WARNING '$(bin)/flask' --app wsgi shop import-catalogue --if-empty catalogue.csv
	@echo 'Starting the shop; Ctrl-C stops it'
	@cd examples/shop && exec '$(bin)/carboy' run wsgi:app

# Slow tests stand together; a worker that is done takes over half of what another still has.
share := -n auto --dist worksteal
# How often a test that failed is tried anew; the summary names it.
RERUNS ?= 0
reruns := --reruns $(RERUNS) --reruns-delay 1 -rR

.PHONY: test
test: $(venv)/for-development ## Run the tests (PYTEST_ARGS=… reaches pytest)
	@echo 'Running the tests'
	@'$(bin)/pytest' -q $(share) $(reruns) $(PYTEST_ARGS)

.PHONY: contract
contract: $(venv)/for-development ## Hold the shop against its OpenAPI document with schemathesis
	@echo 'Holding the shop against its OpenAPI document'
	@'$(bin)/pytest' -q -n auto -m contract -o faulthandler_timeout=900 examples/shop/tests/test_schemathesis.py $(PYTEST_ARGS)

# With a database of its own, and without the limit that a single address would soon reach.
.PHONY: load-test
load-test: $(venv)/for-development ## Put load on the shop by Locust's page (ARGS=--headless: at once, with figures)
	@echo 'Preparing a database for the load test'
	@mkdir -p build && rm -f build/load.sqlite3*
	@cd examples/shop && export DATABASE_URL='sqlite:///$(CURDIR)/build/load.sqlite3' LOG_LEVEL=WARNING RATE_LIMIT=; \
	'$(bin)/flask' --app wsgi db upgrade && \
	'$(bin)/flask' --app wsgi shop import-catalogue catalogue.csv && \
	exec '$(bin)/carboy' load wsgi:app --web --html '$(CURDIR)/build/load-report.html' $(ARGS)

# A wheel of machine code is for one kind of machine and one Python. Both wheels are built from the packed
# sources, so that nothing is left in this checkout.
.PHONY: wheels
wheels: $(uv) ## Build into dist/: sources, a wheel for every Python, a compiled one for this Python and machine
	@echo 'Building into dist/'
	@'$(uv)' build --quiet --clear --python '$(bin)/python' --out-dir dist
	@HATCH_BUILD_HOOKS_ENABLE=1 '$(uv)' build --quiet --wheel --python '$(bin)/python' --out-dir dist dist/*.tar.gz

# The peers live in an environment of their own: some hold dependencies back that Carboy does not. They run
# on the system's Python where it is of the same version: distributions and official images build it with
# profiles of its use, as services have it; what is compiled at home mostly is not.
bench := $(CURDIR)/build/bench-venv
system_python = $(wildcard /usr/bin/python$(shell '$(bin)/python' -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
BENCH_PYTHON ?= $(or $(system_python),$(bin)/python)
.PHONY: bench
bench: $(bench)/installed ## Hold Carboy against its peers, quarter of an hour (ARGS='--rounds 3 --seconds 1')
	@echo 'Holding Carboy against its peers'
	@command -v wrk >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get -qq install --yes wrk >/dev/null 2>&1; } || true
	@PYTHONPATH='$(CURDIR)/benchmarks' '$(bench)/bin/python' -m peers $(ARGS)

.PHONY: bench-start
bench-start: $(bench)/installed ## Hold a start and the memory of a worker against FastAPI's, on the same Python
	@echo 'Starting Carboy and FastAPI'
	@'$(bench)/bin/python' benchmarks/start.py

.PHONY: bench-lock
bench-lock: $(uv) ## Pin what `make bench` installs to the newest there is
	@'$(uv)' pip compile --quiet --upgrade --python '$(bin)/python' --custom-compile-command 'make bench-lock' \
		--output-file benchmarks/peers/requirements.txt benchmarks/peers/requirements.in pyproject.toml

.PHONY: e2e
e2e: $(venv)/for-development ## Build and run a generated project in containers, release it under load
	@echo 'Running a generated project in containers'
	@'$(bin)/pytest' -q -rs -o faulthandler_timeout=0 -m e2e tests/e2e $(PYTEST_ARGS)

.PHONY: upstream
upstream: $(venv)/for-development ## Run the tests of marshmallow, Flask and Werkzeug on what replaces them
	@echo 'Running the tests of marshmallow, Flask and Werkzeug'
	@'$(bin)/pytest' -q -n auto --dist loadfile -m upstream tests $(PYTEST_ARGS)

.PHONY: check
check: check-style check-types check-imports docs coverage ## Run every check: style, types, imports, docs, tests with coverage

.PHONY: style
style: $(venv)/for-development ## Put the sources into shape
	@'$(bin)/ruff' check --quiet --fix $(sources)
	@'$(bin)/ruff' format --quiet $(sources)

.PHONY: check-style
check-style: $(venv)/for-development ## Say what is not in shape
	@echo 'Checking style'
	@'$(bin)/ruff' check --quiet $(sources)
	@'$(bin)/ruff' format --quiet --check $(sources)

.PHONY: check-types
check-types: $(venv)/for-development ## Check types
	@echo 'Checking types'
	@'$(bin)/mypy'

.PHONY: check-imports
check-imports: $(venv)/for-development ## Check that imports run down the floors only
	@echo 'Checking imports'
	@'$(bin)/lint-imports' --no-cache --no-logo

.PHONY: docs
docs: $(venv)/for-development ## Build the documentation into docs/_build/html
	@echo 'Building the documentation'
	@'$(bin)/sphinx-build' --quiet --fail-on-warning --keep-going -b html docs docs/_build/html

.PHONY: coverage
coverage: $(venv)/for-development ## Measure coverage: on screen, htmlcov/index.html and coverage.xml
	@echo 'Running the tests with coverage'
	@'$(bin)/pytest' -q $(share) $(reruns) --cov --cov-report=term --cov-report=html --cov-report=xml $(PYTEST_ARGS)

.PHONY: shop-files
shop-files: $(venv)/for-development ## Write the shop's deployment files anew, and what its image installs
	@'$(bin)/python' .ci/shop_files.py --wheel

.PHONY: lock
lock: $(uv) ## Bring uv.lock up to date with pyproject.toml (LOCK=… reaches uv)
	@UV_PYTHON='$(bin)/python' UV_PYTHON_DOWNLOADS=never '$(uv)' lock --quiet $(LOCK)

.PHONY: projects
projects: $(venv)/for-development ## Generate projects, install them, run their tests and serve them
	@echo 'Generating, installing and testing projects'
	@'$(bin)/pytest' -q -n auto --dist loadscope -o faulthandler_timeout=600 -m projects \
		tests/generator/test_projects.py $(PYTEST_ARGS)

.PHONY: pins
pins: $(uv) ## Write what generated projects are pinned to, from uv.lock
	@'$(bin)/python' .ci/pins.py '$(uv)'

.PHONY: env-example
env-example: $(venv)/for-development ## Write .env.example of generated projects, from the settings
	@'$(bin)/python' .ci/env_example.py

.PHONY: clean
clean: ## Remove what was built or measured; the virtual environment and the shop's data stay
	@rm -rf docs/_build htmlcov coverage.xml .coverage .coverage.* build dist
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# `start` adds to what is there and takes nothing away, so that it and `test` may take turns.
$(venv)/for-running: $(lock) | $(uv)
	@echo 'Installing what running needs into $(VENV)'
	@$(sync) --inexact --no-dev --group shop
	@touch '$@'

$(venv)/for-development: $(lock) | $(uv)
	@echo 'Installing what development needs into $(VENV)'
	@$(sync) --all-groups --no-group project-model --all-extras
	@touch '$@' '$(venv)/for-running'

$(bench)/peers: benchmarks/peers/requirements.txt | $(uv)
	@echo 'Installing the peers into build/bench-venv'
	@'$(uv)' venv --quiet --clear --python '$(BENCH_PYTHON)' '$(bench)'
	@'$(uv)' pip install --quiet --python '$(bench)/bin/python' --requirement benchmarks/peers/requirements.txt
	@touch '$@'

# As it is published: compiled, where there is a compiler; for the Python it runs on, where its headers are.
# Names below src may have spaces, which make cannot take: find says whether one is newer.
$(bench)/installed: $(bench)/peers pyproject.toml $(if $(shell find src -type f -newer '$(bench)/installed' -not -name '*.pyc' 2>&1),.always)
	@echo 'Installing Carboy beside them'
	@for python in '$(BENCH_PYTHON)' '$(bin)/python'; do \
		[ ! -e "$$("$$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ] || break; \
	done; \
	$(if $(shell command -v cc),HATCH_BUILD_HOOKS_ENABLE=1) '$(uv)' build --quiet --clear --python "$$python" --out-dir '$(bench)/dist'
	@'$(uv)' pip install --quiet --python '$(bench)/bin/python' --no-deps --reinstall '$(bench)'/dist/*.whl
	@touch '$@'

# Never there, so whatever asks for it is made anew.
.always:

$(uv): | $(bin)/python
	@echo 'Installing uv $(UV_VERSION), which installs the rest'
	@python='$(bin)/python'; \
	if ! "$$python" -m pip --version >/dev/null 2>&1 && ! "$$python" -m ensurepip >/dev/null 2>&1; then \
		python=$$(cat '$(venv)/made-by'); \
	fi; \
	"$$python" -m pip install --quiet --disable-pip-version-check \
		--target '$(venv)/uv-$(UV_VERSION)' 'uv==$(UV_VERSION)'

$(bin)/python:
	@for python in $(or $(PYTHON),$(PYTHONS)); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			found=$$("$$python" -c 'import sys; print(sys.executable)'); break; \
		fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'Python 3.11 or newer is needed, and none of these is: $(or $(PYTHON),$(PYTHONS)).' >&2; \
		echo 'Install one, or name it: make PYTHON=/path/to/python3' >&2; exit 1; \
	fi; \
	echo "Creating $(VENV) with $$found"; \
	if ! "$$found" -m venv '$(venv)' >/dev/null 2>&1; then \
		rm -rf '$(venv)'; \
		if ! "$$found" -m pip --version >/dev/null 2>&1; then \
			echo "$$found can make no virtual environment with pip in it." >&2; \
			echo 'Install what is missing; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; \
		fi; \
		"$$found" -m venv --without-pip '$(venv)'; \
	fi; \
	echo "$$found" > '$(venv)/made-by'
