from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import MetaData, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from carboy import Moment
from carboy.backing.database import Database

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)


class Model(DeclarativeBase):
    metadata = MetaData()


class Visit(Model):
    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime | None] = mapped_column(Moment)


@pytest.fixture
def app(make_app, url):
    app = make_app(Database(Model), DATABASE_URL=url)
    with app.app_context():
        Model.metadata.create_all(app.db.engine)
        yield app


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(NOON, id="UTC"),
        pytest.param(NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30))), id="the west"),
        pytest.param(None, id="no moment"),
    ],
)
def test_a_moment_comes_back_in_utc_and_aware_of_it(app, given):
    app.db.session.add(Visit(at=given))
    app.db.session.commit()
    found = app.db.session.scalars(select(Visit)).one().at
    assert found == given
    assert given is None or found.utcoffset() == timedelta(0)


def test_moments_compare_in_the_database_whatever_their_zone(app):
    east = timezone(timedelta(hours=5, minutes=45))
    app.db.session.add_all([Visit(at=NOON.astimezone(east)), Visit(at=NOON + timedelta(hours=1))])
    app.db.session.commit()
    later = select(Visit.at).where(Visit.at > NOON.astimezone(east))
    assert app.db.session.scalars(later).all() == [NOON + timedelta(hours=1)]
