"""How many requests a caller may make, and how many passwords may be tried."""

from carboy.api.limits.declaration import Limit, limit, unlimited
from carboy.api.limits.enforcement import init_app
from carboy.api.limits.login import Attempt, LoginThrottle

__all__ = ["Attempt", "Limit", "LoginThrottle", "init_app", "limit", "unlimited"]
