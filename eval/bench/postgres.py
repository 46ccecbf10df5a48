"""A PostgreSQL server of one's own: made in a temporary folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fsa.errors import ConfigError

_DEBIAN = Path("/usr/lib/postgresql")
_USER = "postgres"


@contextmanager
def postgres() -> Iterator[str]:
    """URL of a server that listens on this machine alone; its databases are deleted at the end.

    Raises:
        ConfigError: PostgreSQL is not installed, or does not start.
    """
    programs = find_programs()
    if programs is None:
        raise ConfigError("needs PostgreSQL's initdb and pg_ctl (apt-get install postgresql)")
    # PostgreSQL refuses to run as root; the user it runs as has to own its folder.
    account = _USER if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="fsa-postgres-"))
    if account:
        owner = pwd.getpwnam(_USER)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data, port = folder / "data", free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"

    def call(*command: str | Path) -> None:
        words = [str(part) for part in command]
        done = subprocess.run(  # noqa: S603 # nosec B603 # PostgreSQL's own programs, no shell
            words,
            cwd=folder,
            capture_output=True,
            text=True,
            env={"LC_ALL": "C"},
            user=account,
            group=account,
        )
        if done.returncode:
            raise ConfigError(f"{Path(command[0]).name}: {done.stderr.strip() or done.stdout.strip()}")

    try:
        call(programs / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        call(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        yield f"postgresql://{_USER}@127.0.0.1:{port}/postgres"
    finally:
        if (data / "postmaster.pid").exists():
            call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path | None:
    """Folder of PostgreSQL's programs; None where it is not installed."""
    if os.getuid() == 0:
        try:
            pwd.getpwnam(_USER)
        except KeyError:
            return None
    found = [Path(path) for path in [shutil.which("initdb")] if path]
    found += sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True)
    folders = [path.resolve().parent for path in found]
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def free_port() -> int:
    """A free port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
