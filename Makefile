# Two commands set everything up by themselves: `make demo` and `make test`.
# Needs make, git and Python 3.11 or later with venv. `make help` lists the rest.

PYTHON ?= python3
CORES ?= all
WORKERS ?= logical
UV ?= uv

COHORT := cptac_ucec
RESULTS := results/$(COHORT)
BIN := $(CURDIR)/.venv/bin
RUN := PATH="$(BIN):$$PATH"
PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet

# A PYTHON the caller names replaces an existing .venv of another version; the default does not.
WANTED := $(if $(filter file default undefined,$(origin PYTHON)),,$(PYTHON))

unexport PYTHONPATH PYTHONHOME
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' Makefile

setup: ## create .venv with the pinned requirements and this package (demo, test and lint do this)
	@set -e; \
	version='import sys; print(*sys.version_info[:3], sep=".")'; \
	have=$$(.venv/bin/python -c "$$version" 2>/dev/null || true); \
	wanted=$$(test -z "$(WANTED)" || "$(PYTHON)" -c "$$version" 2>/dev/null || true); \
	if [ -z "$$have" ] || [ "$$(cat .venv/.place 2>/dev/null)" != "$(CURDIR)" ] \
	    || [ "$${wanted:-$$have}" != "$$have" ]; then \
	  found=$$("$(PYTHON)" -c "$$version" 2>/dev/null || true); \
	  if [ -z "$$found" ]; then \
	    echo "No Python called '$(PYTHON)'; resistpath needs 3.11 or later: make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3" >&2; exit 1; \
	  fi; \
	  if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    echo "'$(PYTHON)' is Python $$found; resistpath needs 3.11 or later: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12" >&2; exit 1; \
	  fi; \
	  echo "Creating .venv with Python $$found"; \
	  rm -rf .venv; \
	  if ! "$(PYTHON)" -m venv .venv >/dev/null; then \
	    rm -rf .venv; \
	    echo "'$(PYTHON)' cannot create virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; \
	  fi; \
	  printf '%s\n' "$(CURDIR)" > .venv/.place; \
	fi; \
	if ! cmp -s envs/requirements.txt .venv/.requirements; then \
	  echo "Installing the pinned requirements (about 1 GB, one to two minutes)"; \
	  $(PIP) install --use-pep517 --require-hashes -r envs/requirements.txt; \
	  cp envs/requirements.txt .venv/.requirements; \
	fi; \
	if ! cmp -s pyproject.toml .venv/.package; then \
	  $(PIP) install --no-deps --no-build-isolation --editable .; \
	  cp pyproject.toml .venv/.package; \
	fi

demo: setup ## run the workflow on the embedded cohort and say where the reports are
	@$(RUN) snakemake --cores $(CORES) --quiet rules reason host --show-failed-logs
	@printf '\n%5d sample reports  %s\n      cohort page     %s\n      manifest        %s\n' \
	  "$$(ls $(RESULTS)/reports | grep -c '\.html$$')" \
	  $(RESULTS)/reports/ $(RESULTS)/index.html $(RESULTS)/manifest.json

test: setup ## run the tests on all cores; ARGS="-k quality" narrows them
	@$(RUN) python -m pytest --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal $(ARGS)

lint: setup ## check style, types and the workflow
	@$(RUN) ruff check --quiet .
	@$(RUN) ruff format --check --quiet .
	@$(RUN) mypy
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) snakemake --lint

# Build tools are pinned with the rest: the package itself is installed without build isolation.
lock: ## pin the requirements again (needs uv)
	@printf 'hatchling>=1.26\neditables>=0.5\n' | $(UV) pip compile pyproject.toml - \
	  --extra test --extra lint --extra slurm --python-version 3.11 --universal --fork-strategy fewest \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet \
	  --output-file envs/requirements.txt
	@{ echo '# Made by `make lock`: run, test, lint and build dependencies for Python 3.11 and later.'; \
	   cat envs/requirements.txt; } > envs/requirements.tmp
	@mv envs/requirements.tmp envs/requirements.txt

clean: ## remove .venv, caches and the demo's results; results of other cohorts stay
	rm -rf .venv $(RESULTS) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
	find workflow tests resources -name __pycache__ -type d -prune -exec rm -rf {} +
