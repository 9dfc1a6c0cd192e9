#!/bin/sh
# Virtual environment and pinned packages: sh scripts/setup.sh run|dev
# Does nothing when .venv already holds what the requirements ask for. Plain sh, so that it runs anywhere make does.
set -eu
cd "$(dirname "$0")/.."

kind="${1:-run}"
stamp=".venv/installed-$kind.txt"
if [ "$kind" = dev ]; then requirements=requirements-dev.txt; else requirements=requirements.txt; fi
wanted() { cat pyproject.toml requirements.txt "$requirements"; }
installed() { [ -x .venv/bin/python ] && [ -f "$stamp" ] && wanted | cmp -s - "$stamp"; }

if installed; then exit 0; fi
if [ "$kind" = run ]; then # whoever has the tools for developing has what the app needs too
    stamp=.venv/installed-dev.txt requirements=requirements-dev.txt
    if installed; then exit 0; fi
    stamp=.venv/installed-run.txt requirements=requirements.txt
fi

find_python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}

if ! .venv/bin/python -c 'import sys' 2>/dev/null; then
    python="$(find_python)"
    if [ -z "$python" ]; then
        found="$(python3 --version 2>/dev/null || echo none)"
        echo "MF Explorer needs Python 3.11 or newer; found: $found." >&2
        echo "Install it, or name one: make run PYTHON=/path/to/python3.12" >&2
        exit 1
    fi
    echo "Creating the virtual environment .venv with $("$python" --version)"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "Python could not create a virtual environment (on Debian and Ubuntu: apt install python3-venv)." >&2
        exit 1
    fi
fi

python=.venv/bin/python
if [ -t 1 ]; then quiet=""; else quiet="--quiet"; fi # a person sees the progress, a log stays short
if [ "$kind" = dev ]; then rest="250 MB"; else rest="180 MB"; fi
if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "About to install the packages of $requirements: a download of about 200 MB for torch (CPU) and $rest for the rest."
    if [ "$(uname -s)" = Linux ] && [ -z "${TORCH_INDEX:-}" ]; then
        echo "On Linux, pip's default torch may bring CUDA with it: several GB instead of 200 MB. To choose, stop now (Ctrl+C) and give"
        echo "the --index-url which PyTorch's 'Get started' page shows for your machine (CPU, CUDA, ROCm): make run TORCH_INDEX=…"
    fi
    if [ -n "${TORCH_INDEX:-}" ]; then
        "$python" -m pip install --disable-pip-version-check $quiet --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"
    fi
else
    echo "Updating the packages to $requirements"
fi
# Then the project itself, for the command mf-explorer; what it depends on is there by now, in the pinned versions.
if ! "$python" -m pip install --disable-pip-version-check $quiet -r "$requirements" ||
    ! "$python" -m pip install --disable-pip-version-check $quiet --no-deps -e .; then
    echo "Installing the packages failed; the lines above say why. Nothing is lost: run the same command again." >&2
    exit 1
fi
wanted >"$stamp"
