"""The second belt: every model belongs to a tenant, or says why not."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from accounts.ownership import OrganizationOwned, ProjectOwned
from tests.tenancy.places import OUR_APPS

WITHOUT_OWNER = {
    "accounts.User": "a person belongs to organisations by memberships, to several or none",
    "accounts.Organization": "the tenant itself",
    "traces.InstalledPriceMap": "published prices, in force for every project alike",
    "traces.Deletion": "the receipt of a deletion outlives its project",
    "traces.DeletedTrace": "a tombstone outlives its project: a spool may still bring its spans",
    "traces.SpoolBatch": "a request's rows, perhaps in another database than its project; drained",
    "detectors.SweepCursor": "how far the sweep of all projects has come: times alone",
}


def our_models() -> Iterator[type[models.Model]]:
    for app in OUR_APPS:
        yield from apps.get_app_config(app).get_models(include_auto_created=False)


def owner_field(model: type[models.Model]) -> str | None:
    bases = [base for base in (OrganizationOwned, ProjectOwned) if issubclass(model, base)]
    if len(bases) != 1:
        return None
    return "organization" if bases[0] is OrganizationOwned else "project"


def test_every_model_has_exactly_one_owner_or_a_reason() -> None:
    labels = {model._meta.label: owner_field(model) for model in our_models()}
    assert labels, "no models were found"
    homeless = {label for label, owner in labels.items() if owner is None} - set(WITHOUT_OWNER)
    assert not homeless, f"inherit ProjectOwned or OrganizationOwned, or add the reason: {homeless}"
    owned = [label for label in WITHOUT_OWNER if labels.get(label)]
    assert not owned, f"these have an owner now, take them off the list: {owned}"


def test_the_list_of_reasons_names_only_models_that_exist() -> None:
    labels = {model._meta.label for model in our_models()}
    assert set(WITHOUT_OWNER) <= labels


def test_the_key_of_the_owner_is_required_and_cascades() -> None:
    wrong = []
    for model in our_models():
        owner = owner_field(model)
        if owner is None:
            continue
        field = model._meta.get_field(owner)
        assert isinstance(field, models.ForeignKey)
        if field.null or field.remote_field.on_delete is not models.CASCADE:
            wrong.append(model._meta.label)
    assert not wrong


def test_every_owned_model_can_be_read_in_its_owners_scope() -> None:
    wrong = []
    for model in our_models():
        owner = owner_field(model)
        if owner is None:
            continue
        scope = "for_project" if owner == "project" else "for_organization"
        for manager in model._meta.managers:
            if not hasattr(manager, scope):
                wrong.append(f"{model._meta.label}.{manager.name}.{scope}")
    assert not wrong


def test_every_owned_model_has_a_uuid() -> None:
    wrong = [
        model._meta.label
        for model in our_models()
        if owner_field(model) and not isinstance(model._meta.pk, models.UUIDField)
    ]
    assert not wrong
