"""Settings: which addresses are told about new findings, and whether the mails arrived."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import ProjectRequest, project_view
from detectors import alert_mails, alerts
from detectors.forms import AlertRouteForm
from detectors.models import AlertDelivery, AlertRoute
from integrations import email
from integrations.email import EmailError

MAX_ROUTES = 50


@project_view("detectors.read")
@require_safe
def alert_routes(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    return _page(request, AlertRouteForm())


@project_view("detectors.change")
@require_POST
def add(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    form = AlertRouteForm(request.POST)
    routes = AlertRoute.objects.for_project(request.project)
    if form.is_valid() and routes.count() >= MAX_ROUTES:
        form.add_error(
            "email", f"A project has at most {MAX_ROUTES} addresses. Use a mailing list."
        )
    if not form.is_valid():
        return _page(request, form, status=422)
    address = form.cleaned_data["email"]
    _, is_new = AlertRoute.objects.get_or_create(project=request.project, email=address)
    if is_new:
        messages.success(request, f"{address} is told about new findings from now on.")
    else:
        messages.info(request, f"{address} is in the list already.")
    return redirect("detectors:alert_routes", project_id=project_id)


@project_view("detectors.change")
@require_POST
def turn(request: ProjectRequest, project_id: uuid.UUID, route_id: uuid.UUID) -> HttpResponse:
    """On or off, as the form says; so that a doubled click does not undo itself."""
    route = _get(request, route_id)
    route.is_enabled = request.POST.get("state") == "on"
    route.save(update_fields=["is_enabled"])
    messages.success(request, f"Alerts to {route.email} are {'on' if route.is_enabled else 'off'}.")
    return redirect("detectors:alert_routes", project_id=project_id)


@project_view("detectors.change")
@require_POST
def remove(request: ProjectRequest, project_id: uuid.UUID, route_id: uuid.UUID) -> HttpResponse:
    route = _get(request, route_id)
    if route.is_default:
        messages.error(
            request, f"{route.email} is the owner's address. It can be turned off instead."
        )
    else:
        route.delete()
        messages.success(request, f"{route.email} is removed.")
    return redirect("detectors:alert_routes", project_id=project_id)


@project_view("detectors.change")
@require_POST
def test(request: ProjectRequest, project_id: uuid.UUID, route_id: uuid.UUID) -> HttpResponse:
    route = _get(request, route_id)
    try:
        file = alert_mails.send_test(request.project, route.email)
    except EmailError as error:
        messages.error(request, str(error))
    else:
        if file is None:
            messages.success(request, f"Test mail to {route.email}: the mail server took it.")
        else:
            messages.warning(
                request,
                f"Test mail to {route.email}: written to a file, since no mail server is "
                f"configured: {file}",
            )
    return redirect("detectors:alert_routes", project_id=project_id)


def _page(request: ProjectRequest, form: AlertRouteForm, status: int = 200) -> HttpResponse:
    alerts.ensure_routes(request.project)
    deliveries = (
        AlertDelivery.objects.for_project(request.project).select_related("finding").newest()
    )
    context = {
        "nav": "settings",
        "section": "alerts",
        "routes": AlertRoute.objects.for_project(request.project).by_email(),
        "form": form,
        "deliveries": deliveries[:20],
        "is_email_configured": email.is_configured(),
        "may_change": request.membership.may("detectors.change"),
    }
    return render(request, "detectors/alert_routes.html", context, status=status)


def _get(request: ProjectRequest, route_id: uuid.UUID) -> AlertRoute:
    return get_object_or_404(AlertRoute.objects.for_project(request.project), pk=route_id)
