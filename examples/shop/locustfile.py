"""What visitors and customers do, for load tests: ``carboy load wsgi:app``, or ``make load-test``.

Addresses hold ids; ``carboy load`` shows them by their route.
"""

from __future__ import annotations

import random
import secrets
import uuid
from typing import Any
from urllib.parse import urlencode

from locust import FastHttpUser, between, task

API = "/api/v1"
WORDS = ("oak", "steel", "wool", "garden", "lamp", "blue", "small", "set", "no such thing")
MAX_PRICES = ("10", "25", "50")


class Shopper(FastHttpUser):
    """Looks around: lists, searches, opens products."""

    abstract = True
    wait_time = between(0.5, 2.0)
    network_timeout = connection_timeout = 30.0

    def on_start(self) -> None:
        """Come in by the front door, as everybody does."""
        self.client.get("/")
        self.products = self.look_at(f"{API}/products")

    def look_at(self, address: str) -> list[dict[str, Any]]:
        """List products; none after a failure, which Locust has counted."""
        answer = self.client.get(address)
        return answer.json()["data"]["items"] if answer.status_code == 200 else []  # noqa: PLR2004

    @task(5)
    def open_product(self) -> None:
        """Open one of the products in sight."""
        if self.products:
            self.client.get(f"{API}/products/{random.choice(self.products)['id']}")  # noqa: S311

    @task(3)
    def search(self) -> None:
        """Look for a word; what is found is in sight then."""
        query = urlencode({"search": random.choice(WORDS)})  # noqa: S311
        self.products = self.look_at(f"{API}/products?{query}") or self.products

    @task(2)
    def browse_category(self) -> None:
        """Choose a category, and what is cheap and in stock in it."""
        answer = self.client.get(f"{API}/products/categories")
        categories = answer.json()["data"] if answer.status_code == 200 else []  # noqa: PLR2004
        if not categories:
            return
        category, most = random.choice(categories)["name"], random.choice(MAX_PRICES)  # noqa: S311
        wanted = {"filter[category]": category, "filter[price][lte]": most, "sort": "-price"}
        query = urlencode(wanted)
        self.products = self.look_at(f"{API}/products?{query}") or self.products


class Visitor(Shopper):
    """Only looks."""

    weight = 3


class Customer(Shopper):
    """Registers, signs in, buys now and then, and looks at the orders."""

    weight = 1

    def on_start(self) -> None:
        """Register under a name of one's own, and sign in."""
        super().on_start()
        self.name = f"load-{secrets.token_hex(8)}"
        self.password = secrets.token_urlsafe(16)
        self.bearer: dict[str, str] = {}
        account = {
            "username": self.name,
            "email": f"{self.name}@example.com",
            "full_name": "Load Test",
            "password": self.password,
        }
        self.client.post(f"{API}/users", json=account)
        self.sign_in()

    @task(1)
    def sign_in(self) -> None:
        """Begin another session."""
        sent = {"username": self.name, "password": self.password}
        answer = self.client.post(f"{API}/sessions", json=sent)
        if answer.status_code == 201:  # noqa: PLR2004
            self.bearer = {"Authorization": f"Bearer {answer.json()['data']['token']}"}

    @task(3)
    def check_out(self) -> None:
        """Buy up to three products; one in five times the answer is lost and it is sent again."""
        available = [product for product in self.products if product["stock"] > 0]
        chosen = random.sample(available, min(len(available), random.randint(1, 3)))  # noqa: S311
        if not chosen:
            return
        order = {"lines": [{"product_id": product["id"], "quantity": 1} for product in chosen]}
        headers = {**self.bearer, "Idempotency-Key": str(uuid.uuid4())}
        number = self.buy(order, headers)
        if number is not None and random.random() < 0.2:  # noqa: PLR2004, S311
            self.buy(order, headers, expected=number)

    def buy(
        self, order: dict[str, Any], headers: dict[str, str], expected: int | None = None
    ) -> int | None:
        """Send an order; that somebody else took the last piece is no failure of the shop."""
        with self.client.post(
            f"{API}/checkout", json=order, headers=headers, catch_response=True
        ) as answer:
            if answer.status_code == 409:  # noqa: PLR2004
                answer.success()
                return None
            if answer.status_code != 201:  # noqa: PLR2004
                return None
            number: int = answer.json()["data"]["id"]
            if expected not in (None, number):
                answer.failure("The same Idempotency-Key made a second order.")
            return number

    @task(2)
    def read_orders(self) -> None:
        """Read one's own orders, and the latest of them."""
        answer = self.client.get(f"{API}/orders", headers=self.bearer)
        found = answer.json()["data"]["items"] if answer.status_code == 200 else []  # noqa: PLR2004
        if found:
            self.client.get(f"{API}/orders/{found[0]['id']}", headers=self.bearer)
