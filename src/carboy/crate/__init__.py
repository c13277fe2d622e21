"""The WSGI layer that surrounds an app: everything that operates a service, in one pass."""

from carboy.crate.crate import Crate
from carboy.crate.exchange import Exchange
from carboy.crate.health import Check
from carboy.crate.maintenance import Maintenance
from carboy.crate.refusal import plain_json

__all__ = ["Check", "Crate", "Exchange", "Maintenance", "plain_json"]
