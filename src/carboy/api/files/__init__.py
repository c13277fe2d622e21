"""Files on their way in and out."""

from carboy.api.files.confined import send_confined
from carboy.api.files.described import downloads
from carboy.api.files.sending import send
from carboy.api.files.uploads import File, Upload

__all__ = ["File", "Upload", "downloads", "send", "send_confined"]
