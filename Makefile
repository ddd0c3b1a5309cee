# make run: the app.  make test: everything that is checked.  make test-fast: without browser and training.  make audit: what is known to be unsafe.  All do all their own set-up.
PYTHON ?= python3.11
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8501
DEMO_ITEMS ?= 6000
TEST_PROCESSES ?= 2

BIN = $(VENV)/bin
# How tests are spread over processes: tests/conftest.py.
IN_PROCESSES = -n $(TEST_PROCESSES) --dist loadscope --no-loadscope-reorder
COMMAND = $(VENV)/.command-$(shell echo "$(CURDIR)" | cat - pyproject.toml | cksum | cut -d' ' -f1)
STAMP = $(VENV)/.requirements-$(shell cat requirements.txt requirements-test.txt 2>/dev/null | cksum | cut -d' ' -f1)

.PHONY: env run test test-fast lint audit weights clean

env: $(STAMP) $(COMMAND)

$(STAMP): requirements.txt requirements-test.txt
	@command -v $(PYTHON) >/dev/null || { echo "Vitrine needs Python 3.11 ($(PYTHON) is not on the PATH). Debian: sudo apt-get install python3.11 python3.11-venv; or: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "Making the environment failed. Debian: sudo apt-get install python3.11-venv" >&2; exit 1; }
	@echo "Installing Vitrine's libraries into $(VENV) (about 7 GB, some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-test.txt
	@rm -f $(VENV)/.requirements-* && touch $@

# The command `vitrine`, for this folder: an environment may be shared by several.
$(COMMAND): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@rm -f $(VENV)/.command-* && touch $@

run: env
	@$(BIN)/vitrine demo --name demo --items $(DEMO_ITEMS) --if-empty
	@VITRINE_PREPARE=$${VITRINE_PREPARE-demo} $(BIN)/python -m streamlit run app.py --server.address $(HOST) --server.port $(PORT)

test: env
	@./tests/system.sh
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python -m pytest $(IN_PROCESSES)

test-fast: env
	@$(BIN)/python -m pytest $(IN_PROCESSES) -m "not browser and not training"

lint: env
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/mypy

# Every bundled weight anew, from nothing but the data named here; about three hours of one processor.
weights: env
	@./trainers/rebuild.sh $(BIN) "$(GLAMI_MINI)" "$(TAXONOMY)"

audit: env
	@./tests/audit.sh $(BIN)

clean:
	rm -rf .mypy_cache .ruff_cache test-artifacts
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
