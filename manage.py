#!/usr/bin/env python3
"""Django's command line, with a sentence instead of a traceback on a Python that is too old."""

import os
import signal
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the sentence below is for people on an older Python
    sys.exit(
        "TraceRoot needs Python 3.11 or newer; this is "
        f"{sys.version_info.major}.{sys.version_info.minor}. Install a newer one and try again."
    )


def end_at_a_signal() -> None:
    """While `up` still loads there is nothing to stop: it just ends, with 0.

    Here, because loading anything of ours is most of the time to be covered; the supervisor puts
    its own handlers in place. Also lets in what `up` kept back when it began anew.
    """
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        # An exception could be caught, or printed, by whatever is being imported.
        signal.signal(number, lambda *_: os._exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")
    if sys.argv[1:2] == ["up"]:
        end_at_a_signal()
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
