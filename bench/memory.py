"""How much memory a server's processes take together."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from bench import Server

_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ (\d+)\s*(.*)$")


@dataclass(frozen=True)
class Memory:
    """Megabytes of all processes together. `shared_out` counts a page that n processes use as 1/n for each, as the
    kernel's proportional set size does; `alone` counts what the processes share with strangers as theirs in full,
    as if no other Python were running on the machine."""

    processes: int
    shared_out: float
    alone: float


def measure(server: Server) -> Memory | None:
    """The memory of a server and all that come from it; None where the system does not tell (not Linux)."""
    pids = server.family()
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    rollups = [_kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text()) for pid in pids]
    own = sum(one["Pss_Anon"] + one["Pss_Shmem"] for one in rollups)
    of_files: dict[str, int] = defaultdict(int)
    for pid in pids:
        for file, size in _resident_files(pid).items():
            of_files[file] = max(of_files[file], size)
    return Memory(
        len(pids), sum(one["Pss"] for one in rollups) / 1000 * 1.024, (own + sum(of_files.values())) / 1000 * 1.024
    )


def _resident_files(pid: int) -> Counter[str]:
    """Kilobytes of each file that a process holds in memory unchanged."""
    found: Counter[str] = Counter()
    file = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if mapping := _MAPPING.match(line):
            file = mapping[2] if mapping[1] != "0" else ""
        elif file and line.startswith("Rss:"):
            found[file] += int(line.split()[1])
        elif file and line.startswith("Anonymous:"):
            found[file] -= int(line.split()[1])
    return found


def _kilobytes(rollup: str) -> Counter[str]:
    return Counter({name: int(size) for name, size in re.findall(r"^(\w+):\s+(\d+) kB$", rollup, re.MULTILINE)})
