"""What callers do, for load tests: ``make load-test``."""

import uuid

from locust import HttpUser, between, task


class Caller(HttpUser):
    """Is greeted often, and keeps a note now and then."""

    wait_time = between(0.1, 0.5)

    @task(4)
    def is_greeted(self) -> None:
        """Open the first page."""
        self.client.get("/")

    @task(2)
    def is_greeted_by_name(self) -> None:
        """Send JSON, get JSON."""
        self.client.post("/custom", json={"name": "Renée"})

    @task(1)
    def keeps_a_note(self) -> None:
        """Write a note, find it, change it, throw it away."""
        made = self.client.post("/notes", json={"title": uuid.uuid4().hex})
        if made.status_code != 201:
            return
        path = made.headers["Location"]
        self.client.get("/notes", params={"limit": 20})
        self.client.get(path, name="/notes/ID")
        self.client.patch(path, json={"text": "Glass breaks."}, name="/notes/ID")
        self.client.delete(path, name="/notes/ID")
