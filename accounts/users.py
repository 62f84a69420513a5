"""People: made by an operator or an organisation, found by address."""

from __future__ import annotations

import unicodedata

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.db import IntegrityError, transaction

from accounts.models import User

_check_email = EmailValidator()
_MAX_EMAIL_CHARACTERS = 254


class InvalidEmail(ValueError):
    """The address cannot be one; the message is meant for the person who typed it."""


class AddressTaken(Exception):
    """There is an account with this address."""


@transaction.atomic
def create(
    email: str, *, name: str = "", password: str | None = None, is_superuser: bool = False
) -> User:
    """A user whose address the operator vouches for. Raises InvalidEmail, IntegrityError.

    Without a password the person sets one by “Forgot password”.
    """
    address = clean_email(email)
    user = User.objects.create_user(
        address, password, name=name, is_staff=is_superuser, is_superuser=is_superuser
    )
    vouch_for(user)
    return user


def enrol(email: str) -> User:
    """A user without a password, whose address nobody has confirmed or vouched for.

    Raises InvalidEmail, AddressTaken.
    """
    address = clean_email(email)
    try:
        with transaction.atomic():
            user = User.objects.create_user(address)
            EmailAddress.objects.create(user=user, email=address, verified=False, primary=True)
    except IntegrityError as error:
        raise AddressTaken(address) from error
    return user


def vouch_for(user: User) -> None:
    """Marks the address as confirmed, on the operator's word."""
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def find(email: str) -> User | None:
    return User.objects.filter(email=User.objects.normalize_email(email)).first()


def find_by_any_address(email: str) -> User | None:
    """By the main address, else by a further one that the user has confirmed."""
    address = User.objects.normalize_email(email)
    further = User.objects.filter(emailaddress__email=address, emailaddress__verified=True)
    return find(address) or further.first()


def has_confirmed(user: User) -> bool:
    """Whether the user has shown, or an operator has said, that the address is theirs.

    Who signs up may type anybody's address; until it is confirmed it must not open anything.
    """
    return bool(EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists())


def clean_email(email: str) -> str:
    address = User.objects.normalize_email(unicodedata.normalize("NFKC", email))
    try:
        _check_email(address)
    except ValidationError:
        raise InvalidEmail(f"“{address}” is not an email address.") from None
    if len(address) > _MAX_EMAIL_CHARACTERS:
        raise InvalidEmail("The email address is too long.")
    return address
