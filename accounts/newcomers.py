"""People whom an organisation adds by address, and the account that those without one get.

A new account has no password. A link, good once and for PASSWORD_RESET_TIMEOUT, lets whoever holds
it choose one; it goes to the address by mail, and to the person who added it, since many servers
send no mail. Nobody has shown yet whose address it is, so the account opens this organisation and
no other: for an account that exists there is never a link, and it is only added when its address is
confirmed. The mailed link leads on to that confirmation; the one handed over proves nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from accounts import organizations, users
from accounts.models import Membership, Organization, User
from accounts.organizations import MembershipError

log = logging.getLogger(__name__)
_MAIL = "accounts/mail/newcomer"


class AddressUnconfirmed(MembershipError):
    """There is an account, but it may be anybody's."""


@dataclass(frozen=True, slots=True)
class Added:
    """`is_new`: the account was made just now, so that its first link may be given out."""

    user: User
    is_new: bool


def add_by_address(
    organization: Organization, email: str, role: str, *, by: Membership | None
) -> Added:
    """Raises InvalidEmail, AlreadyMember, AddressUnconfirmed, NotEntitled."""
    known = users.find_by_any_address(users.clean_email(email))
    if known is None:
        try:
            return Added(_enrol(organization, email, role, by), is_new=True)
        except users.AddressTaken:  # by somebody else, in between
            known = users.find_by_any_address(email)
            if known is None:
                raise
    organizations.require_not_member(organization, known)
    if not known.is_active or not users.has_confirmed(known):
        raise AddressUnconfirmed(
            f"There is an account for {email}, but it is deactivated, or nobody has confirmed yet "
            "that the address is theirs. They can confirm it under “Email addresses” when signed "
            "in; the server’s administrator can do both for them."
        )
    organizations.add_member(organization, known, role, by=by)
    return Added(known, is_new=False)


def link(request: HttpRequest, user: User) -> str:
    """The address at which the password can be chosen. Give it out for new accounts only."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    return str(get_adapter(request).get_reset_password_from_key_url(key))


def mail_link(request: HttpRequest, user: User, organization: Organization, by: User) -> bool:
    """Whether the mail server took the mail."""
    address = EmailAddress.objects.get(user=user, email=user.email)
    key = EmailConfirmationHMAC.create(address).key
    then = {"next": reverse("account_confirm_email", args=[key])}
    context = {
        "organization": organization,
        "by": by,
        "link": f"{link(request, user)}?{urlencode(then)}",
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }
    try:
        get_adapter(request).send_mail(_MAIL, user.email, context)
    except OSError as error:  # smtplib's errors are among them
        log.warning("newcomer.mail_failed user=%s reason=%s", user.pk, type(error).__name__)
        return False
    return True


@transaction.atomic
def _enrol(organization: Organization, email: str, role: str, by: Membership | None) -> User:
    user = users.enrol(email)
    organizations.add_member(organization, user, role, by=by)
    return user
