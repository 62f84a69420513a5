"""`manage.py ingest_rules`: the rules and limits of projects, for scripts and the operator."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Project
from traces.admission import changes
from traces.admission.changes import BadRule
from traces.admission.rules import MATCHES
from traces.models import DropRule, IngestLimit


class Command(BaseCommand):
    help = "List a project's drop rules and limits, or change them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", type=UUID, help="the project's id")
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--add", choices=MATCHES, help="a rule that matches so")
        act.add_argument("--enable", type=UUID, metavar="RULE")
        act.add_argument("--disable", type=UUID, metavar="RULE")
        act.add_argument("--delete", type=UUID, metavar="RULE")
        act.add_argument(
            "--limit", nargs=2, metavar=("SPANS_A_SECOND", "BYTES_A_DAY"),
            help="0: no limit; default: the installation's",
        )  # fmt: skip
        parser.add_argument("--pattern", default="", help="name, scope, kind or value (with --add)")
        parser.add_argument("--key", default="", help="the attribute's name (with --add attribute)")
        parser.add_argument("--drops-failed", action="store_true", help="with --add")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(pk=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}.")
        try:
            self._change(project, options)
        except (BadRule, ValidationError, ValueError) as error:
            raise CommandError(str(error)) from error
        self._list(project)

    def _change(self, project: Project, options: dict[str, Any]) -> None:
        if options["add"]:
            rule = DropRule(
                match=options["add"],
                pattern=options["pattern"],
                key=options["key"],
                drops_failed=options["drops_failed"],
            )
            rule.clean_fields(exclude=["project"])
            changes.add(project, rule, None)
        elif options["enable"] or options["disable"]:
            wanted = options["enable"] or options["disable"]
            changes.enable(_rule(project, wanted), bool(options["enable"]), None)
        elif options["delete"]:
            changes.delete(_rule(project, options["delete"]), None)
        elif options["limit"]:
            spans, size = map(_figure, options["limit"])
            changes.set_limit(project, spans, size, None)

    def _list(self, project: Project) -> None:
        rules = DropRule.objects.for_project(project).oldest()
        for rule in rules:
            state = "in force" if rule.is_enabled else "disabled"
            self.stdout.write(f"{rule.id}  {state:<9} {rule}")
        if not rules:
            self.stdout.write("No rules: everything is stored.")
        limit = IngestLimit.objects.for_project(project).first()
        self.stdout.write(f"Limits: {limit or 'those of the installation'}")


def _rule(project: Project, rule_id: UUID) -> DropRule:
    rule = DropRule.objects.for_project(project).filter(pk=rule_id).first()
    if rule is None:
        raise BadRule(f"{project.name} has no rule {rule_id}.")
    return rule


def _figure(text: str) -> int | None:
    if text == "default":
        return None
    if not text.isdecimal():
        raise BadRule(f"{text!r} is no number; write one, 0 for no limit, or default.")
    return int(text)
