"""One transaction around code that commits by itself."""

import pytest
from sqlalchemy import func, select


@pytest.fixture
def users(service, models):
    def count():
        return service.db.session.scalar(select(func.count()).select_from(models.User))

    def add(name):
        service.db.session.add(models.User(email=name))
        service.db.session.commit()

    with service.app.app_context():
        yield service.db, add, count


def test_what_is_committed_inside_lasts_with_the_enclosure(users):
    db, add, count = users
    with db.enclosing("work") as enclosure:
        assert enclosure.committed is False
        add("ann")
        assert enclosure.committed is True
        db.session.execute(select(1))
        enclosure.commit()
    assert count() == 1


def test_what_is_not_committed_inside_does_not(users, models):
    db, add, count = users
    with db.enclosing("work") as enclosure:
        add("ann")
        db.session.add(models.User(email="bob"))
        db.session.flush()
        enclosure.commit()
    assert count() == 1


@pytest.mark.parametrize("error", [None, ZeroDivisionError], ids=["its end", "an error"])
def test_without_its_commit_everything_is_undone_by(users, error):
    db, add, count = users
    try:
        with db.enclosing("work"):
            add("ann")
            if error:
                raise error
    except ZeroDivisionError:
        pass
    assert count() == 0
    add("bob")
    assert count() == 1


def test_what_came_before_is_committed_first(users, models):
    db, _, count = users
    db.session.add(models.User(email="before"))
    db.session.flush()
    with db.enclosing("work"):
        pass
    assert count() == 1


def test_one_is_inside(service, users, elsewhere):
    db, _, _ = users

    def enter(name):
        with service.app.test_request_context("/"), db.enclosing(name) as enclosure:
            return enclosure is not None

    with db.enclosing("work"):
        assert elsewhere(enter, "work") is False
    assert elsewhere(enter, "work") is True
