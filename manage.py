#!/usr/bin/env python3
"""Django's command line, with a sentence instead of a traceback on a Python that is too old."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence below is for people on an older Python
    sys.exit(
        "TraceRoot needs Python 3.11 or newer; this is "
        f"{sys.version_info.major}.{sys.version_info.minor}. Install a newer one and try again."
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ModuleNotFoundError:
        sys.exit("The dependencies are not installed. Run `make run`, or activate .venv first.")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
