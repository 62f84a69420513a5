"""The operator's view of people and projects. Never a secret: keys and passwords show no hash."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import api_keys, users
from accounts.models import ApiKey, Membership, Organization, Project, User


class UserCreationForm(AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        try:
            return users.clean_email(self.cleaned_data["email"])
        except users.InvalidEmail as error:
            raise forms.ValidationError(str(error)) from error


class UserForm(UserChangeForm[User]):
    class Meta:
        model = User
        fields = "__all__"


class WithoutDeletion:
    """Deletion goes through the product, where it reaches the traces as well."""

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class MembershipInline(WithoutDeletion, admin.TabularInline[Membership, Organization]):
    """Read only: the pages of the organisation guard its last owner."""

    model = Membership
    extra = 0
    fields = ("user", "role", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(WithoutDeletion, DjangoUserAdmin[User]):
    """People are deactivated rather than deleted, so that what they did keeps its author."""

    form = UserForm
    add_form = UserCreationForm
    list_display = ("email", "name", "is_active", "is_staff", "created_at", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("email", "created_at", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Times", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if obj else tuple(name for name in fields if name != "email")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change:
            users.vouch_for(obj)


@admin.register(Organization)
class OrganizationAdmin(WithoutDeletion, admin.ModelAdmin[Organization]):
    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    readonly_fields = ("created_at",)
    inlines: ClassVar = [MembershipInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # an organisation needs an owner: manage.py create_project


@admin.register(Project)
class ProjectAdmin(WithoutDeletion, admin.ModelAdmin[Project]):
    list_display = ("name", "organization", "retention_days", "created_at")
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name", "id")
    ordering = ("organization__name", "name", "id")
    readonly_fields = ("id", "organization", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(WithoutDeletion, admin.ModelAdmin[ApiKey]):
    """Read only but for revoking: a key can be shown only where it is made."""

    list_display = ("name", "masked", "project", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("project",)
    search_fields = ("name", "hint", "project__name")
    ordering = ("-created_at", "id")
    fields = (
        "name",
        "masked",
        "project",
        "scopes",
        "created_by",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    readonly_fields = fields
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            api_keys.revoke(key)
        self.message_user(request, f"{len(queryset)} keys are revoked.")
