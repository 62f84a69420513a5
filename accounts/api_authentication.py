"""API keys for Django REST framework: `Authorization: Bearer tr-…`.

`request.auth` is the VerifiedKey and `request.user` stands for the program that holds it; it is
never a person, so nothing that asks for a person's role can pass by a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import api_keys
from accounts.api_keys import KeysUnavailable, VerifiedKey

CHALLENGE = 'Bearer realm="TraceRoot"'


class KeyCheckUnavailable(APIException):
    status_code = 503
    default_detail = (
        "The API key cannot be checked right now: the database does not answer. Try again."
    )
    default_code = "unavailable"
    wait = 5  # Django REST framework turns it into Retry-After


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The program behind a key, as far as Django REST framework asks for a user."""

    key: VerifiedKey
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    @property
    def pk(self) -> str:
        return f"key:{self.key.key_id}"


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, VerifiedKey] | None:
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != "bearer" or not raw.strip():
            raise AuthenticationFailed("Send the API key as “Authorization: Bearer tr-…”.")
        try:
            key = api_keys.verify(raw.strip())
        except KeysUnavailable as error:
            raise KeyCheckUnavailable from error
        if key is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class HasScope(BasePermission):
    """Holds `view.required_scope` (default "read") against the scopes of the key."""

    message = "The API key does not have the scope that this request needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        key = request.auth
        return isinstance(key, VerifiedKey) and key.may(getattr(view, "required_scope", "read"))


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI schema names it; drf-spectacular finds it by being imported."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "tr-UUID"}
