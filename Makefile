# MF Explorer. `make run` and `make test` each set up what they need; nothing else has to be installed first
# than Python 3.11 or newer, make and git.

PORT ?= 8501
# The --index-url that PyTorch's "Get started" page shows for your machine; empty takes pip's default build of torch.
TORCH_INDEX ?=
# What to pass on to pytest, for example: make test TESTS="tests/test_imports.py -x"
TESTS ?=

PY := .venv/bin/python
export TORCH_INDEX

.DEFAULT_GOAL := help
.PHONY: help run test check static js format bench screenshots clean setup setup-dev

help:
	@echo "make run          start MF Explorer at http://localhost:$(PORT)   (another port: make run PORT=8600)"
	@echo "make test         run all tests, the browser ones included"
	@echo "make check        ruff, mypy, the browser code's checks (where Node is), then all tests"
	@echo "make js           types, lint and unit tests of the browser code alone"
	@echo "make bench        measure: time to the first point, quality of the presets"
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

static: setup-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: setup-dev
	@$(PY) -m mfcore fetch ml-100k || [ -z "$$CI" ]
	@$(PY) -m scripts.chromium --install || [ -z "$$CI" ]
	$(PY) -m pytest $(TESTS)

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

screenshots: setup-dev
	@$(PY) -m mfcore fetch ml-100k
	@$(PY) -m scripts.chromium --install
	$(PY) -m scripts.screenshots
	$(PY) -m scripts.recording

clean:
	rm -rf .venv .node node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
