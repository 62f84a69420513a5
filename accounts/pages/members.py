"""Members of the organisation that a project belongs to: list, add, change, remove."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import organizations, permissions, users
from accounts.access import ProjectRequest, project_view
from accounts.forms import MemberForm, RoleForm
from accounts.models import Membership
from accounts.organizations import MembershipError


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


@project_view("project.read")
@require_safe
def members(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    return _page(request, MemberForm(appointer=request.membership.role))


@project_view("members.manage")
@require_POST
def add(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    form = MemberForm(request.POST, appointer=request.membership.role)
    if not form.is_valid():
        return _page(request, form, status=422)
    user = users.find(form.cleaned_data["email"])
    if user is None or not user.is_active or not users.has_confirmed(user):
        form.add_error(
            "email",
            "Nobody with a confirmed account on this server has this address. Ask them to sign up "
            "and confirm it, or ask the server's administrator to make the account.",
        )
        return _page(request, form, status=422)
    try:
        organizations.add_member(
            request.organization, user, form.cleaned_data["role"], by=request.membership
        )
    except MembershipError as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    messages.success(request, f"{user.email} is a member now.")
    return redirect("accounts:members", project_id=project_id)


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


def _find(request: ProjectRequest, membership_id: uuid.UUID) -> Membership:
    members_here = Membership.objects.for_organization(request.organization)
    return get_object_or_404(members_here.select_related("user", "organization"), pk=membership_id)


def _row(member: Membership, mine: Membership) -> MemberRow:
    form = RoleForm(
        appointer=mine.role, initial={"role": member.role}, auto_id=f"id_%s_{member.id.hex}"
    )
    return MemberRow(member, permissions.may_appoint(mine.role, member.role), form)


def _page(request: ProjectRequest, form: MemberForm, status: int = 200) -> HttpResponse:
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
    }
    return render(request, "accounts/members.html", context, status=status)
