"""manage.py create_project: a project and a key for it, for scripts and for the first steps."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.names import InvalidName
from accounts.provisioning import provide_project
from accounts.users import InvalidEmail


class Command(BaseCommand):
    help = (
        "Makes, or finds, a user, their organisation and a project in it, and makes a new API key. "
        "Prints one JSON line {organization_id, project_id, api_key}. Works while the server runs."
    )
    # Its one line is for programs; nothing else may stand on standard output.
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", required=True, metavar="NAME")
        parser.add_argument("--project", required=True, metavar="NAME")
        parser.add_argument("--owner-email", required=True, metavar="EMAIL")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            provision = provide_project(
                options["organization"], options["project"], options["owner_email"]
            )
        except (InvalidName, InvalidEmail) as error:
            raise CommandError(str(error)) from None
        line = {name: str(value) for name, value in asdict(provision).items()}
        self.stdout.write(json.dumps(line))
