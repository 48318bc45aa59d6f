"""What a process used, read from the kernel."""

from __future__ import annotations

import resource
import time
from hashlib import sha256
from pathlib import Path


def cpu_seconds() -> float:
    """User and system seconds of this process, all its threads, and its finished children."""
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def reference_us() -> float:
    """CPU microseconds of one SHA-256 of 1 KiB: how fast this machine is at this moment."""
    data, times = bytes(1024), 20_000
    start = time.process_time()
    for _ in range(times):
        sha256(data).digest()
    return (time.process_time() - start) / times * 1e6


def peak_mb() -> float:
    """The largest resident size this process ever had (VmHWM), in MB of 1,000,000 bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6
