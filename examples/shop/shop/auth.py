"""Who may do what: roles, and the one ``Auth`` of the shop."""

from __future__ import annotations

from carboy import Auth, owned_by
from shop.database import db
from shop.users.models import ApiKey, Session, User, folded

DEFAULT_ROLE = "customer"
_CUSTOMER = {"account:read", "account:write", "orders:read", "orders:place"}
_CLERK = _CUSTOMER | {"users:read", "orders:any", "orders:export", "products:*"}
ROLES = {DEFAULT_ROLE: _CUSTOMER, "clerk": _CLERK, "admin": {"*"}}

auth = Auth(
    db,
    user=User,
    session=Session,
    api_key=ApiKey,
    roles=ROLES,
    default_role=DEFAULT_ROLE,
    login=("email_key", "username_key"),
    fold=folded,
    mail=None,  # the shop sends none: a clerk helps who forgot a password
)

account_to_read = owned_by("id", unless="users:read")
account_to_change = owned_by("id", unless="users:write", visible=True)
orders_to_read = owned_by("user_id", unless="orders:any")
