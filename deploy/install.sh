#!/usr/bin/env bash
# install.sh VENV REQUIREMENTS: a virtual environment with pinned, hash-checked dependencies.
# Uses uv when it is there, else pip. Needs Python 3.11 to 3.13 and nothing else.
set -euo pipefail
venv=$1
requirements=$2

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

python=$("$(dirname "$0")/choose_python.sh")
if [ -z "$python" ]; then
  found=$("${PYTHON_FOR_VENV:-python3}" --version 2>/dev/null || echo "no such Python")
  echo "TraceRoot needs Python 3.11, 3.12 or 3.13; found $found. Install one and run this again." >&2
  exit 1
fi

if [ -x "$venv/bin/python" ] && ! fits "$venv/bin/python"; then
  echo "The virtual environment $venv has another Python; run 'make clean' and try again." >&2
  exit 1
fi

[ -x "$venv/bin/python" ] || echo "Taking $("$python" --version) at $python (PYTHON_FOR_VENV chooses another)."
echo "Installing dependencies into $venv (once; a minute or two) …"
if command -v uv >/dev/null 2>&1; then
  [ -x "$venv/bin/python" ] || uv venv --quiet --python "$python" "$venv"
  uv pip install --quiet --python "$venv/bin/python" --require-hashes -r "$requirements"
else
  if [ ! -x "$venv/bin/python" ]; then
    if ! "$python" -m venv "$venv"; then
      rm -rf "$venv"
      echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2
      exit 1
    fi
  fi
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
fi
