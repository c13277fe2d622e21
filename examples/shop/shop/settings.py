"""The shop's own settings, and what each environment sets differently."""

from __future__ import annotations

import re
from collections.abc import Iterator

from carboy import Development, Production, Settings, setting


class ShopSettings(Settings):
    """Carboy's settings and two of the shop's own."""

    API_TITLE = "The shop"
    MSG: str = setting("Welcome to the shop.", "Greeting at the front door, /.", group="Shop")
    CURRENCY: str = setting(
        "EUR", "Currency of every price: three letters as in ISO 4217.", group="Shop"
    )

    def problems(self) -> Iterator[str]:
        """Add what the shop demands; see :meth:`carboy.Settings.problems`."""
        yield from super().problems()
        if not re.fullmatch(r"[A-Z]{3}", self.CURRENCY):
            yield (
                f"CURRENCY is {self.CURRENCY!r}. "
                "Use the three capital letters of ISO 4217, such as EUR."
            )


# Of one address, for all requests together: far beyond what a person clicks.
GENEROUS = "1200/minute"


class ShopDevelopment(ShopSettings, Development):
    """On a developer's machine the greeting says where one is."""

    RATE_LIMIT = GENEROUS
    MSG = "Welcome to the workshop: nothing here is for sale."


class ShopProduction(ShopSettings, Production):
    """For the public."""

    RATE_LIMIT = GENEROUS
