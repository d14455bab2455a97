"""From nothing to a Django that has a database: used by every command, by the servers and by the tests."""

import errno
import gc
import os
import shutil
from pathlib import Path

from parvis.kit.server import DatabaseUnavailable, KeyEncryptionKeys, Secrets, Urls, databases

#: a new PostgreSQL cluster with the demo needs about this much, in bytes
LEAST_FREE = 200_000_000


class CannotStart(Exception):
    """A start that can't succeed; the message is one clear sentence."""


def home() -> Path:
    """PARVIS_HOME, made if it is new. Raises CannotStart when it can't be written."""
    path = Path(os.environ.get("PARVIS_HOME", "var")).expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError as error:
        raise CannotStart(disk_sentence(path, error)) from None
    free = shutil.disk_usage(path).free
    if free < LEAST_FREE:
        raise CannotStart(
            f"the disk that holds {path} is full ({free // 1_000_000} MB left, {LEAST_FREE // 1_000_000} MB needed): "
            "free some space or set PARVIS_HOME to another disk"
        )
    return path


def disk_sentence(path: Path, error: OSError) -> str:
    """What to tell a person whose disk refused to write at `path`."""
    if error.errno == errno.ENOSPC:
        return f"the disk that holds {path} is full: free some space or set PARVIS_HOME to another disk"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{path} can't be written ({error.strerror}): set PARVIS_HOME to a folder you may write"
    return f"{path} can't be used: {error.strerror}"


def collect_seldom() -> None:
    """Have Python look for cycles less often. Plans and lists are hundreds of thousands of rows that hold no cycle: by
    default half of the time in which plans are derived goes into walking through them again and again.
    """
    gc.set_threshold(20_000, 20, 20)


def boot(role: str = "app") -> Urls:
    """Find the database, tell the settings about it, and set Django up.

    role: "app" (serves, owns nothing), "worker" (sweeps, tasks, commands about people), "owner" (migrations),
    "audit" (reads the ledger) or "backup". Raises CannotStart.
    """
    collect_seldom()
    folder = home()
    os.environ["PARVIS_HOME"] = str(folder)
    try:
        # `parvis run` hands its processes the URLs of their own roles and nothing more
        urls = Urls.inherited()
        if not getattr(urls, role):
            urls = databases(folder)
        keep = Secrets(folder)
        os.environ.setdefault("SECRET_KEY", keep.get("secret-key"))
        os.environ.setdefault("PARVIS_CONTEXT_KEY", keep.get("context-key"))
        os.environ.setdefault("PARVIS_BLIND_KEY", keep.get("blind-key"))
        KeyEncryptionKeys(folder).begin()
        keep.get("ledger-signing-key")
    except DatabaseUnavailable as error:
        raise CannotStart(str(error)) from None
    except OSError as error:
        raise CannotStart(disk_sentence(folder, error)) from None
    os.environ["PARVIS_DSN"] = getattr(urls, role)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parvis.site.settings")
    import django

    django.setup()
    return urls
