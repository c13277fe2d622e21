"""What people do, for load tests: ``make load-test``."""

import uuid

from locust import HttpUser, between, task

PASSWORD = "correct horse battery"


class Visitor(HttpUser):
    """Looks around without an account."""

    weight = 3
    wait_time = between(0.1, 0.5)

    @task(3)
    def opens_the_front_page(self) -> None:
        """Open the first page."""
        self.client.get("/")

    @task
    def is_greeted(self) -> None:
        """Send JSON, get JSON."""
        self.client.post("/api/v1/custom", json={"name": "Renée"})


class Member(HttpUser):
    """Registers, signs in, looks after the account, and leaves with it in the end."""

    weight = 1
    wait_time = between(0.1, 0.5)

    def on_start(self) -> None:
        """Register and sign in."""
        name = f"load-{uuid.uuid4().hex[:16]}"
        form = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        made = self.client.post("/api/v1/users", json=form)
        made.raise_for_status()
        self.path = made.headers["Location"]
        self.profile = f"/api/v1/profiles/{name}"
        signed_in = self.client.post(
            "/api/v1/sessions", json={"username": name, "password": PASSWORD}
        )
        signed_in.raise_for_status()
        self.client.headers["Authorization"] = f"Bearer {signed_in.json()['data']['token']}"

    @task(5)
    def reads_the_account(self) -> None:
        """Read what only the owner may."""
        self.client.get(self.path, name="/api/v1/users/ID")

    @task(3)
    def reads_a_profile(self) -> None:
        """Read what everybody may."""
        self.client.get(self.profile, name="/api/v1/profiles/NAME")

    @task
    def changes_the_account(self) -> None:
        """Write something."""
        self.client.patch(self.path, json={"full_name": "Renée"}, name="/api/v1/users/ID")

    def on_stop(self) -> None:
        """Leave nothing behind."""
        self.client.delete(self.path, name="/api/v1/users/ID")
