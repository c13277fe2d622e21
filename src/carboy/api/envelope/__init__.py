"""What an answer is wrapped in, successes and errors alike."""

from carboy.api.envelope.bare import Bare
from carboy.api.envelope.jsend import JSend
from carboy.api.envelope.protocol import Envelope, status_sent

__all__ = ["Bare", "Envelope", "JSend", "status_sent"]
