"""What a schema does not list cannot be written, whoever asks."""

import pytest

from shop.database import Model

from .conftest import BOB_ID
from .endpoints import WITH_FILES, WITH_JSON, over

# The id of another account, a text, a moment, a permission, and the role that may do everything.
MARKS = (BOB_ID, "mass-assigned", "1999-12-31T23:59:59+00:00", "mass:assigned", "admin")


def columns():
    """Name every attribute of every model, and every column behind one."""
    mappers = list(Model.registry.mappers)
    attributes = {name for mapper in mappers for name in mapper.attrs.keys()}  # noqa: SIM118
    return attributes | {column.name for mapper in mappers for column in mapper.columns}


def test_the_columns_that_matter_are_among_those_tried():
    assert {"id", "user_id", "role", "password_hash", "disabled_at", "token_hash", "scopes",
            "refunded_at", "total_cents", "picture_key"} <= columns()  # fmt: skip


@pytest.fixture
def try_out(ask, undone, rows, bob):
    """Send a request, and look for a mark in what it wrote."""
    assert bob.id == BOB_ID
    before = rows()

    def sent(mark, *request, **rest):
        with undone():
            answer = ask(*request, note=mark, kept=True, **rest)
            new = rows() - before if answer.status_code < 400 else ()
        for row in new:
            assert not any(value[:19] == str(mark)[:19] for value in row), row

    return sent


@pytest.mark.parametrize("who", ["ada", "admin"])
@over(WITH_JSON)
def test_no_column_that_the_schema_does_not_list_can_be_written(request, try_out, who, target):
    person = request.getfixturevalue(who)
    whole = target.body()
    path = target.at(person.things)
    for name in sorted(columns() - whole.keys()):
        for mark in MARKS:
            try_out(mark, target.method, path, person.headers(), json={**whole, name: mark})


@over(WITH_FILES)
def test_no_column_can_be_written_beside_a_file(try_out, admin, picture, target):
    path = target.at(admin.things)
    for name in sorted(columns()):
        for mark in MARKS:
            form = {**{field: picture() for field in target.form_fields()}, name: str(mark)}
            try_out(mark, target.method, path, admin.headers(), data=form)
