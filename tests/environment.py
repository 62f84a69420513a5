"""The environment of a test process, set before Django reads its settings: a data directory of its
own, no mail server, nobody's model key. Loaded by `-p tests.environment` (pyproject.toml).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

_KEPT = {"TRACEROOT_SHARED", "TRACEROOT_WRITE_GOLDEN", "TRACEROOT_FUZZ_EXAMPLES"}

for name in [n for n in os.environ if n.startswith("TRACEROOT_") and n not in _KEPT]:
    del os.environ[name]
for name in ("DATABASE_URL", "CLICKHOUSE_URL", "REDIS_URL", "EMAIL_HOST"):
    os.environ.pop(name, None)
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
    os.environ.pop(name, None)

_directory = tempfile.mkdtemp(prefix="traceroot-tests-")
os.environ["TRACEROOT_DATA_DIR"] = _directory
os.environ["TRACEROOT_SETTLE_QUIET_SECONDS"] = "0"
os.environ["TRACEROOT_SETTLE_SILENCE_SECONDS"] = "1"
os.environ["TRACEROOT_PRICES_REFRESH_SECONDS"] = "0"  # no thread reads beside a test's transaction
os.environ["TRACEROOT_INGEST_RULES_REFRESH_SECONDS"] = "0"
os.environ["TRACEROOT_TOMBSTONES_REFRESH_SECONDS"] = "0"  # likewise
os.environ["TRACEROOT_DELETION_CHECK_SECONDS"] = "0"
os.environ["TRACEROOT_LOG_LEVEL"] = "WARNING"
os.mkdir(os.path.join(_directory, "static"))
atexit.register(shutil.rmtree, _directory, ignore_errors=True)
