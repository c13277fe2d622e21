"""Every setting: type, default, meaning, source; profiles by ``APP_ENV``."""

from carboy.settings.declaration import Setting, setting
from carboy.settings.loading import HIDDEN, Row
from carboy.settings.profiles import Development, Production, Testing
from carboy.settings.values import Settings

__all__ = [
    "HIDDEN",
    "Development",
    "Production",
    "Row",
    "Setting",
    "Settings",
    "Testing",
    "setting",
]
