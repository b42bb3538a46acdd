"""Limits of the system that a command cannot come to its end under."""

import resource

from plant_aggregate.errors import AggregateError
from plant_aggregate.kernels.threads import available_cores

MEGABYTE = 1 << 20

ADDRESS_SPACE = 900 * MEGABYTE
"""What the libraries take of the address space before the first row is read; the most of it is never touched."""

FOR_A_THREAD = 100 * MEGABYTE
"""A stack, and what the allocator sets aside."""


def check_address_space(threads: int | None) -> None:
    """Raise AggregateError if the libraries, which end the process or hang where it is too small, have no room."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed = ADDRESS_SPACE + FOR_A_THREAD * (threads or available_cores())
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        raise AggregateError(
            f"the address space is limited to {allowed // MEGABYTE:,} MB, and the libraries take "
            f"{needed // MEGABYTE:,} before the first row is read",
            remedy="raise the limit (ulimit -v), or limit memory by a control group (systemd's MemoryMax=)",
        )
