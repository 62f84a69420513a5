"""Members of the organisation that a project belongs to: list, add, change, remove.

Who adds somebody without an account sees, once, the link with which that person signs in first.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from typing import Literal

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import newcomers, organizations, permissions
from accounts.access import ProjectRequest, project_view
from accounts.forms import MemberForm, RoleForm
from accounts.models import Membership, User
from accounts.organizations import MembershipError
from accounts.pages import shown_once
from accounts.users import InvalidEmail

FIRST_LINK_COOKIE = "traceroot_first_link"


@dataclass(frozen=True, slots=True)
class MemberRow:
    """`may_change`: whether the reader may give this person another role, or remove them."""

    member: Membership
    may_change: bool
    form: RoleForm

    @property
    def role_dialog_id(self) -> str:
        return f"role-{self.member.id.hex}"

    @property
    def role_question(self) -> str:
        return f"Role of {self.member.user.email}"

    @property
    def dialog_id(self) -> str:
        return f"remove-{self.member.id.hex}"

    @property
    def question(self) -> str:
        return f"Remove {self.member.user.email}?"


@dataclass(frozen=True, slots=True)
class FirstLink:
    """`mail`: whether a link went by mail as well; "none" where the server sends no mail."""

    email: str
    url: str
    mail: Literal["sent", "failed", "none"]


@project_view("project.read")
@require_safe
@never_cache
def members(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    kept = shown_once.look(request, FIRST_LINK_COOKIE)
    form = MemberForm(appointer=request.membership.role)
    response = _page(request, form, first_link=FirstLink(**json.loads(kept)) if kept else None)
    shown_once.remove(response, request, FIRST_LINK_COOKIE)
    return response


@project_view("members.manage")
@require_POST
def add(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    form = MemberForm(request.POST, appointer=request.membership.role)
    if not form.is_valid():
        return _page(request, form, status=422)
    # Each try tells whether an address has an account, and may send a mail.
    if not ratelimit.consume(request, action="add_member", user=request.user):
        form.add_error(None, "You have added many members within an hour. Try again later.")
        return _page(request, form, status=429)
    try:
        added = newcomers.add_by_address(
            request.organization,
            form.cleaned_data["email"],
            form.cleaned_data["role"],
            by=request.membership,
        )
    except InvalidEmail as error:
        form.add_error("email", str(error))
        return _page(request, form, status=422)
    except MembershipError as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    messages.success(request, f"{added.user.email} is a member now.")
    page = reverse("accounts:members", kwargs={"project_id": project_id})
    response = redirect(page)
    if added.is_new:
        first = json.dumps(asdict(_first_link(request, added.user)))
        shown_once.put(response, request, FIRST_LINK_COOKIE, first, page)
    return response


@project_view("members.manage")
@require_POST
def change_role(
    request: ProjectRequest, project_id: uuid.UUID, membership_id: uuid.UUID
) -> HttpResponse:
    membership = _find(request, membership_id)
    form = RoleForm(request.POST, appointer=request.membership.role)
    if not form.is_valid():
        messages.error(
            request, "Choose one of the roles in the list; only owners can appoint owners."
        )
        return redirect("accounts:members", project_id=project_id)
    try:
        organizations.change_role(membership, form.cleaned_data["role"], by=request.membership)
    except MembershipError as error:
        messages.error(request, str(error))
    else:
        role = membership.get_role_display().lower()
        messages.success(request, f"The role of {membership.user.email} is {role} now.")
    return redirect("accounts:members", project_id=project_id)


@project_view("members.manage")
@require_POST
def remove(
    request: ProjectRequest, project_id: uuid.UUID, membership_id: uuid.UUID
) -> HttpResponse:
    membership = _find(request, membership_id)
    try:
        organizations.remove_member(membership, by=request.membership)
    except MembershipError as error:
        messages.error(request, str(error))
        return redirect("accounts:members", project_id=project_id)
    messages.success(request, f"{membership.user.email} is no longer a member.")
    if membership.user_id == request.user.pk:
        return redirect("accounts:home")
    return redirect("accounts:members", project_id=project_id)


def _first_link(request: ProjectRequest, user: User) -> FirstLink:
    is_sent = newcomers.mail_link(request, user, request.organization, by=request.user)
    mail: Literal["sent", "failed", "none"] = "sent" if is_sent else "failed"
    if not settings.EMAIL_HOST:
        mail = "none"
    return FirstLink(user.email, newcomers.link(request, user), mail)


def _find(request: ProjectRequest, membership_id: uuid.UUID) -> Membership:
    members_here = Membership.objects.for_organization(request.organization)
    return get_object_or_404(members_here.select_related("user", "organization"), pk=membership_id)


def _row(member: Membership, mine: Membership) -> MemberRow:
    form = RoleForm(
        appointer=mine.role, initial={"role": member.role}, auto_id=f"id_%s_{member.id.hex}"
    )
    return MemberRow(member, permissions.may_appoint(mine.role, member.role), form)


def _page(
    request: ProjectRequest,
    form: MemberForm,
    *,
    first_link: FirstLink | None = None,
    status: int = 200,
) -> HttpResponse:
    rows = (
        Membership.objects.for_organization(request.organization)
        .select_related("user")
        .order_by("user__email", "id")
    )
    mine = request.membership
    context = {
        "nav": "settings",
        "section": "members",
        "rows": [_row(member, mine) for member in rows],
        "may_manage": mine.may("members.manage"),
        "form": form,
        "first_link": first_link,
        "link_days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    return render(request, "accounts/members.html", context, status=status)
