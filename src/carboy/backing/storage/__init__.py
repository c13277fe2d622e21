"""Where files are kept: a local folder by default, a bucket by ``STORAGE_URL``."""

from carboy.backing.storage.storage import Storage
from carboy.backing.storage.stored import StoredFile

__all__ = ["Storage", "StoredFile"]
