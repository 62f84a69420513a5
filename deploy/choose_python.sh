#!/usr/bin/env bash
# choose_python.sh: prints the Python for the virtual environment. PYTHON_FOR_VENV when that is set,
# else the first that is fast, else the first that fits; nothing when none does.
#
# A tenth of the ingest depends on how Python was built: version managers build it as a shared
# library whose functions are bound at run time, distributions link it statically or optimise it as
# a whole.
set -euo pipefail

fits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# And has what makes a virtual environment, which distributions package apart.
is_fast() {
  "$1" - 2>/dev/null <<'PY'
import ensurepip, sys, sysconfig, venv
if sys.platform == "linux" and not any("-flto" in str(v) for v in sysconfig.get_config_vars().values()):
    with open("/proc/self/maps") as maps:
        sys.exit("libpython" in maps.read())
PY
}

if [ -n "${PYTHON_FOR_VENV:-}" ]; then
  if path=$(command -v "$PYTHON_FOR_VENV") && fits "$path"; then
    echo "$path"
  fi
  exit
fi

first=""
for candidate in python3 python3.13 python3.12 python3.11 python /usr/bin/python3; do
  path=$(command -v "$candidate") && fits "$path" || continue
  if is_fast "$path"; then
    echo "$path"
    exit
  fi
  first=${first:-$path}
done
echo "$first"
