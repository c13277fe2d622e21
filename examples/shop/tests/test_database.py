"""What columns keep of money and time."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select
from sqlalchemy.engine import create_engine

from shop.database import Moment, Money


@pytest.fixture
def keep():
    """Write a value into a column of this type and read it back."""

    def run(kind, value):
        engine = create_engine("sqlite://")
        table = Table("kept", MetaData(), Column("value", kind))
        with engine.begin() as connection:
            table.create(connection)
            connection.execute(insert(table).values(value=value))
            read = connection.scalar(select(table.c.value))
        engine.dispose()
        return read

    return run


@pytest.mark.parametrize("amount", ["0.01", "0.10", "12.5", "1000000.00", "-3.07"])
def test_an_amount_is_kept_exactly_with_two_decimals(keep, amount):
    read = keep(Money, Decimal(amount))
    assert read == Decimal(amount)
    assert read.as_tuple().exponent == -2


def test_a_fraction_of_a_cent_is_refused():
    with pytest.raises(ValueError, match="Round it first"):
        Money().process_bind_param(Decimal("1.005"), None)


def test_a_moment_comes_back_in_utc(keep):
    noon = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    read = keep(Moment, noon)
    assert read == noon
    assert read.tzinfo is UTC


@pytest.mark.parametrize("kind", [Money, Moment])
def test_nothing_stays_nothing(keep, kind):
    assert keep(kind, None) is None
