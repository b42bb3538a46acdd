"""Limits of the system under which a command cannot finish."""

import resource

from plant_aggregate.errors import AggregateError
from plant_aggregate.kernels.threads import available_cores

MEGABYTE = 1 << 20

ADDRESS_SPACE = 900 * MEGABYTE
"""Bytes of address space that the libraries reserve before the first row is read; most are never touched."""

FOR_A_THREAD = 100 * MEGABYTE  # bytes for a stack and the arena of the allocator


def check_address_space(threads: int | None) -> None:
    """Raise AggregateError if the address space is too small for the libraries, which would abort or hang."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_AS)
    needed = ADDRESS_SPACE + FOR_A_THREAD * (threads or available_cores())
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        raise AggregateError(
            f"the address space is limited to {allowed // MEGABYTE:,} MB, and the libraries take "
            f"{needed // MEGABYTE:,} before the first row is read",
            remedy="raise the limit (ulimit -v), or limit memory by a control group (systemd's MemoryMax=)",
        )
