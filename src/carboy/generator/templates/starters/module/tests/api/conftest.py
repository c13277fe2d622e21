"""People who use the API. Each test has its own, who leave when it ends."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from carboy.testing import Client
from flask import Flask

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody with an account, who is signed in."""

    id: int
    username: str
    token: str

    @property
    def path(self) -> str:
        return f"/api/v1/users/{self.id}"

    @property
    def signed(self) -> dict[str, str]:
        """The headers of a request that this person makes."""
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture
def form() -> dict[str, str]:
    """What somebody sends to register."""
    name = f"p-{uuid.uuid4().hex[:16]}"
    return {
        "username": name,
        "email": f"{name}@example.com",
        "full_name": "Renée Example",
        "password": PASSWORD,
    }


@pytest.fixture
def sign_in(client: Client) -> Callable[[str], str]:
    """Sign in with a name or an address, and give the token."""

    def enter(username: str) -> str:
        answer = client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
        assert answer.status == 201, answer.text
        token: str = answer.data["token"]
        return token

    return enter


@pytest.fixture
def join(
    client: Client, form: dict[str, str], sign_in: Callable[[str], str]
) -> Iterator[Callable[[], Person]]:
    """Register somebody else at each call."""
    joined: list[Person] = []

    def make() -> Person:
        name = f"{form['username']}-{len(joined)}"
        sent = {**form, "username": name, "email": f"{name}@example.com"}
        answer = client.post("/api/v1/users", json=sent)
        assert answer.status == 201, answer.text
        person = Person(answer.data["id"], name, sign_in(name))
        joined.append(person)
        return person

    yield make
    for person in joined:
        client.delete(person.path, headers=person.signed)


@pytest.fixture
def member(join: Callable[[], Person]) -> Person:
    return join()


@pytest.fixture
def admin(app: Flask, member: Person) -> Person:
    """Somebody made an admin at the command line, so not where BASE_URL points."""
    done = app.test_cli_runner().invoke(args=["users", "set-role", member.username, "admin"])
    assert done.exit_code == 0, done.output
    return member
