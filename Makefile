# The commands of this repository. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_PYTHON_DOWNLOADS := never
# A proxy's certificate is among the machine's own, where it has any.
export UV_SYSTEM_CERTS := $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)
# What Python compiles for one command serves the next.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test lint bench soak schema pictures

help: ## List the commands
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/ready-for-demo ## Start the whole platform on this machine; Ctrl-C stops it
	@exec .venv/bin/guichet demo

test: .venv/ready-for-development ## Run the tests; ARGS="-k name" picks some
	.venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: .venv/ready-for-development ## Check style, types and the floors of the house
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

bench: .venv/ready-for-development ## Measure, and write build/bench.json
	.venv/bin/python -m benchmarks $(ARGS)

soak: .venv/ready-for-development ## Run for an hour under load: leaks, storms, faults, trade, a year
	SOAK_SECONDS=$${SOAK_SECONDS:-60} SOAK_EVENTS=$${SOAK_EVENTS:-1000} \
	  SOAK_FAULT_ROUNDS=$${SOAK_FAULT_ROUNDS:-3} SOAK_EXAMPLES=$${SOAK_EXAMPLES:-100} \
	  SOAK_CHANGES=$${SOAK_CHANGES:-10000} SOAK_KILLS=$${SOAK_KILLS:-30} \
	  SOAK_CRASHES=$${SOAK_CRASHES:-0} \
	  SOAK_YEAR_DAYS=$${SOAK_YEAR_DAYS:-365} SOAK_YEAR_TENANTS=$${SOAK_YEAR_TENANTS:-10} \
	  .venv/bin/pytest -q tests/isolation/test_bleed.py tests/killing tests/soak tests/years $(ARGS)

schema: .venv/ready-for-development ## Write migrations/schema.sql anew from the migrations
	.venv/bin/guichet migrate --dump

pictures: .venv/ready-for-development ## Take the pictures in docs/pictures/ anew from a fresh demo
	.venv/bin/python -m tests.browser.pictures

# A stamp in .venv says what is installed; it is older than its requirements when they change.
.venv/ready-for-demo: requirements.txt requirements-install.txt pyproject.toml | .venv/bin/uv
	@if [ .venv/ready-for-development -nt pyproject.toml ] \
	  && [ .venv/ready-for-development -nt requirements-dev.txt ] \
	  && [ .venv/ready-for-development -nt requirements.txt ]; \
	then :; else $(call install,requirements.txt); fi
	@touch $@

.venv/ready-for-development: requirements-dev.txt requirements-install.txt pyproject.toml | .venv/bin/uv
	@$(call install,requirements-dev.txt)
	@touch $@

# uv installs in seconds what takes pip a minute; pip knows the machine's own settings, such as a
# mirror or a proxy's certificate, and stands in where uv does not get through.
define install
echo "Installing $(1) into .venv ..."; \
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r $(1) \
  || .venv/bin/python -m pip install --quiet --require-hashes -r $(1); \
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
endef

.venv/bin/uv: requirements-install.txt
	@$(make_venv)
	@.venv/bin/python -m pip install --quiet --require-hashes -r requirements-install.txt
	@touch $@

# Bare Debian has venv without ensurepip, which its package python3-venv holds.
define make_venv
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.x ...' >&2; exit 1; }; \
if .venv/bin/python -m pip --version >/dev/null 2>&1; then :; \
elif $(PYTHON) -m venv --clear .venv >/dev/null 2>&1; then :; \
elif uv --version >/dev/null 2>&1; then \
  uv venv --quiet --clear --seed --python $(PYTHON) .venv; \
elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
  echo 'Installing the Debian package python3-venv ...'; \
  apt-get update -qq >/dev/null && \
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null; \
  $(PYTHON) -m venv --clear .venv; \
else \
  rm -rf .venv; \
  echo 'One package is missing: as root, run "apt-get install python3-venv", then try again.' >&2; \
  exit 1; \
fi
endef
