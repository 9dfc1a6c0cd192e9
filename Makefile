# MF Explorer. `make run` and `make test` each set up what they need; nothing else has to be installed first
# than Python 3.11 or newer, make and git.

PORT ?= 8501
# The --index-url that PyTorch's "Get started" page shows for your machine; empty takes pip's default build of torch.
TORCH_INDEX ?=
# The address of a server for `make doctor` to look at from outside.
URL ?=
# What to pass on to pytest, for example: make test TESTS="tests/test_imports.py -x"
TESTS ?=

# How long `make torture` and `make fuzz` go on; how often, and with which chances.
MINUTES ?= 10
ROUNDS ?=
SEED ?=
# JSON=1: what they found as one object in the last line. ONLY: the readers that `make fuzz` is to feed.
JSON ?=
ONLY ?=

# How many tests run at a time; those with a browser stay together in one process (tests/conftest.py).
WORKERS ?= 2

PY := .venv/bin/python
export TORCH_INDEX

.DEFAULT_GOAL := help
.PHONY: help run doctor test check static js format bench torture fuzz screenshots clean setup setup-dev

help:
	@echo "make run          start MF Explorer at http://localhost:$(PORT)   (another port: make run PORT=8600)"
	@echo "make doctor       look for what keeps it from working here (also: make doctor URL=https://example.org/lab)"
	@echo "make test         run all tests, the browser ones included"
	@echo "make check        ruff, mypy, the browser code's checks (where Node is), then all tests"
	@echo "make js           types, lint and unit tests of the browser code alone"
	@echo "make bench        measure: time to the first point, quality of the presets"
	@echo "make torture      every fault we know, done to real runs, and what each cost (ROUNDS=1, MINUTES=10, SEED=7)"
	@echo "make fuzz         whatever reads what comes from outside, fed with nonsense (MINUTES=10, ONLY=archive)"
	@echo "make screenshots  draw the pictures and the film of the README anew"
	@echo "make clean        remove the virtual environment and caches (your runs and data stay)"

setup:
	@sh scripts/setup.sh run

setup-dev:
	@sh scripts/setup.sh dev

run: setup
	@$(PY) -m scripts.port $(PORT)
	@$(PY) -m mfcore fetch ml-100k || echo "MovieLens 100K could not be fetched; starting on synthetic data. The Data page says what to do."
	@$(PY) -m scripts.demo_run
	@echo "MF Explorer: http://localhost:$(PORT)   (Ctrl+C stops it)"
	@exec $(PY) -m streamlit run app.py --server.port $(PORT)

# Sets nothing up: what is missing is what it is to find.
doctor:
	@$(if $(wildcard $(PY)),$(PY),python3) -m mfcore doctor --port $(PORT) $(if $(URL),--url $(URL))

static: setup-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: setup-dev
	@$(PY) -m mfcore fetch ml-100k || [ -z "$$CI" ]
	@$(PY) -m scripts.chromium --install || [ -z "$$CI" ]
	$(PY) -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(TESTS)

# Node checks the browser code and runs nothing: whoever has none may leave that to CI, which must have it.
js:
	@if command -v npm >/dev/null; then npm ci --no-audit --no-fund && npm run check; \
	elif [ -n "$$CI" ]; then echo "CI must check the browser code, and there is no npm: install Node 20 or newer" >&2; exit 1; \
	else echo "No npm here: the browser code stays unchecked (Node 20 or newer checks it)"; fi

check: static js test

format: setup-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: setup-dev
	@$(PY) -m mfcore fetch ml-100k
	@$(PY) -m scripts.chromium --install
	-$(PY) -m bench.latency
	-$(PY) -m bench.quality
	$(PY) -m bench.figures

torture: setup-dev
	@$(PY) -m tests.faults --minutes $(MINUTES) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SEED),--seed $(SEED)) $(if $(JSON),--json)

fuzz: setup-dev
	@$(PY) -m tests.fuzzing --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json)

screenshots: setup-dev
	@$(PY) -m mfcore fetch ml-100k
	@$(PY) -m scripts.chromium --install
	$(PY) -m scripts.screenshots
	$(PY) -m scripts.recording

clean:
	rm -rf .venv .node node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
