"""Pictures of products: the file in the storage, its key in the row.

A file is kept before the row names it and deleted after the row names it no more: a crash in
between leaves a file that nobody names, never a product whose picture is missing.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import after_this_request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from carboy import Storage
from carboy.api.files import Upload
from carboy.errors import NotFound
from shop.database import db, find
from shop.products.models import Product

storage = Storage()
_log = logging.getLogger(__name__)


def put(product_id: int, picture: Upload) -> Product:
    """Give a product this picture, and commit.

    :raises NotFound: if there is no such product; nothing is kept then.
    """
    find(Product, product_id)
    db.session.rollback()  # nobody waits while the file is written
    kept = picture.keep(storage)
    try:
        product = find(Product, product_id, with_for_update=True, populate_existing=True)
        former, product.picture_key = product.picture_key, kept.key
        db.session.flush()
        db.session.expunge(product)  # answered as it is here, whoever removes it a moment later
        db.session.commit()
    except BaseException:
        db.session.rollback()
        _forget_unless_named(kept.key)
        raise
    _forget(former)
    return product


def remove(product_id: int) -> None:
    """Take the picture of a product away, and commit.

    :raises NotFound: if there is no such product, or it has none.
    """
    product = find(Product, product_id, with_for_update=True, populate_existing=True)
    former, product.picture_key = product.picture_key, None
    if former is None:
        raise NotFound("This product has no picture.")
    db.session.commit()
    _forget(former)


def forget_later(key: str | None) -> None:
    """Delete a file once the request has succeeded, which is after its commit."""

    @after_this_request
    def forget(response: Any) -> Any:
        if response.status_code < 400:  # noqa: PLR2004 - the first of the errors
            _forget(key)
        return response


def _forget(key: str | None) -> None:
    """Delete a file that no row names: if that fails, it is only in the way."""
    if key is None:
        return
    try:
        storage.delete(key)
    except Exception:  # noqa: BLE001 - each place fails in its own way
        _log.exception("The picture %s could not be deleted.", key)


def _forget_unless_named(key: str) -> None:
    """Delete a file after a failure; who lost the connection in a commit may have committed."""
    try:
        named = db.session.scalar(select(Product.id).where(Product.picture_key == key))
    except SQLAlchemyError:
        _log.exception("Whether a product has the picture %s is not known; it is kept.", key)
        return
    finally:
        db.session.rollback()
    if named is None:
        _forget(key)
