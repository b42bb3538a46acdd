"""Times as platforms write them."""

from datetime import UTC, datetime


def utc_time(text: object) -> datetime | None:
    """A time in ISO 8601, or as Rails writes it; it is UTC without a zone. None for anything else, and a date alone.

    >>> utc_time("2022-10-31T23:19:19.5+02:00")
    datetime.datetime(2022, 10, 31, 21, 19, 19, 500000, tzinfo=datetime.timezone.utc)
    >>> utc_time("2017-09-21 19:29:43 UTC")
    datetime.datetime(2017, 9, 21, 19, 29, 43, tzinfo=datetime.timezone.utc)
    >>> [utc_time(other) for other in ("2022-10", "2022-10-31", "now", 1667251159, None)]
    [None, None, None, None, None]
    """
    if not isinstance(text, str) or len(text) <= len("2022-10-31"):
        return None
    try:
        time = datetime.fromisoformat(text.strip().removesuffix(" UTC"))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
