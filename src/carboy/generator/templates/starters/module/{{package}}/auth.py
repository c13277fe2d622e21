"""Who may do what: roles, and who owns an account."""

from carboy import Auth, owned_by

from .database import db
from .models import Session, User

MEMBER, ADMIN = "member", "admin"
# What each may do beyond reaching their own account.
ROLES: dict[str, set[str]] = {MEMBER: set(), ADMIN: {"*"}}

auth = Auth(
    db,
    user=User,
    session=Session,
    roles=ROLES,
    default_role=MEMBER,
    fold=str.lower,  # as schemas.py keeps names and addresses
    mail=None,  # a function that sends links adds /password/reset-requests and the like
)

# Of accounts everybody reaches their own; others do not exist for them.
own_account = owned_by("id", unless="users:any")
