"""Counters on a Redis or Valkey server, exact for all machines that use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from carboy.backing.counters.window import PARTS, Level, Window
from carboy.errors import CarboyError, SettingsError

__all__ = ["RedisCounters"]

# A counter is a hash, part → takes. The clock is the server's: those of machines differ.
# Written so that a script is one step, also for several counters.
_STEP = """
local what, parts = ARGV[1], tonumber(ARGV[2])
local told = redis.call('TIME')
local now = tonumber(told[1]) + tonumber(told[2]) / 1000000
local seen, fits = {}, 1
for i, key in ipairs(KEYS) do
  local quota, length = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local part = math.floor(now * parts / length)
  local taken, oldest, latest = 0, nil, nil
  local found = redis.call('HGETALL', key)
  for j = 1, #found, 2 do
    local each = tonumber(found[j])
    if each < part - parts then
      redis.call('HDEL', key, found[j])
    else
      taken = taken + tonumber(found[j + 1])
      if not oldest or each < oldest then oldest = each end
      if not latest or each > latest then latest = each end
    end
  end
  if taken >= quota then fits = 0 end
  seen[i] = {part, taken, oldest, latest, length}
end
local answer = {fits}
for i, key in ipairs(KEYS) do
  local part, taken, oldest, latest, length = unpack(seen[i], 1, 5)
  if what == 'take' and fits == 1 then
    redis.call('HINCRBY', key, string.format('%d', part), 1)
    redis.call('EXPIRE', key, math.ceil(length * (parts + 1) / parts) + 1)
    taken = taken + 1
    oldest = oldest or part
  elseif what == 'give back' and latest then
    local field = string.format('%d', latest)
    if redis.call('HINCRBY', key, field, -1) <= 0 then redis.call('HDEL', key, field) end
  end
  local wait = 0
  if oldest then wait = math.max(0, (oldest + parts + 1) * length / parts - now) end
  answer[2 * i] = taken
  answer[2 * i + 1] = math.ceil(wait * 1000)
end
return answer
"""


class RedisCounters:
    """Counters on a server.

    :param url: ``redis://``, ``rediss://`` or ``unix://``.
    :param prefix: of the keys there.
    :param timeout_s: how long to wait for the server to take a connection, and to answer.
    :raises CarboyError: without the extra ``redis``.
    :raises SettingsError: if the URL cannot be read.
    """

    def __init__(self, url: str, *, prefix: str = "carboy:", timeout_s: float = 0.25) -> None:
        try:
            import redis  # an extra
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError as error:
            raise CarboyError("Counters on Redis need: pip install 'carboy[redis]'") from error
        self.faults: tuple[type[Exception], ...] = (redis.RedisError, OSError)
        self._prefix = prefix
        try:
            self._server = redis.Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                # Once more if a connection from before a restart turns out dead; never
                # after waiting in vain.
                retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            )
        except ValueError:
            raise SettingsError(  # without the URL, which may hold a password
                ["REDIS_URL cannot be read. Write redis://:PASSWORD@HOST:6379/0."]
            ) from None
        self._step: Any = self._server.register_script(_STEP)

    def take(self, windows: Sequence[Window]) -> tuple[bool, list[Level]]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        return self._run("take", windows)

    def levels(self, windows: Sequence[Window]) -> list[Level]:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        return self._run("levels", windows)[1]

    def give_back(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        self._run("give back", windows)

    def forget(self, windows: Sequence[Window]) -> None:
        """See :class:`~carboy.backing.counters.window.Counters`."""
        self._server.delete(*[self._prefix + one.key for one in windows])

    def _run(self, what: str, windows: Sequence[Window]) -> tuple[bool, list[Level]]:
        arguments: list[str | int] = [what, PARTS]
        for one in windows:
            arguments += (one.quota, one.length_s)
        fits, *numbers = self._step([self._prefix + one.key for one in windows], arguments)
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return bool(fits), [Level(taken, free_in_ms / 1000) for taken, free_in_ms in pairs]
