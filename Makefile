# install, run, test, check, demo, format. Everything lives in .venv and .data (root's data: servers/place.py).
PYTHON ?= python3
UV_VERSION = 0.13.8
# Three workers for two cores, as some tests wait for processes; one test alone: make test ARGS='-n 0 tests/rules/test_answering.py -k overlap'
ARGS ?= -n 3 --dist=worksteal

export UV_PROJECT_ENVIRONMENT = .venv
export UV_PYTHON_DOWNLOADS = never
BIN = .venv/bin
INSTALLED = .venv/.installed

.PHONY: install run test check demo bench format

install: $(INSTALLED)

$(INSTALLED): pyproject.toml uv.lock Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
		|| { echo 'Python 3.11 or 3.12 is needed: name one, as in "make $(or $(MAKECMDGOALS),install) PYTHON=python3.12"' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv sync --locked --inexact --python $(BIN)/python
	@touch $@

run: install
	@$(BIN)/python -m servers.run

test: install
	$(BIN)/pytest $(ARGS)

check: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m schema.snapshot --check

# Plays a meeting's story against the service that `make run` started.
demo: install
	@$(BIN)/python -m demo

# What deliveries, idle subscriptions, connects and pushes cost, beside a bare handler's; some minutes of a quiet machine.
bench: install
	$(BIN)/python -m bench

format: install
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
