"""What a browser needs: itself, and the page with the published client.

The page is built once, with npm and esbuild, and kept in a cache folder.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from simlab.core.errors import SessionFailedError

EXECUTABLES = ("chromium", "chromium-browser", "google-chrome")
PAGE = Path(__file__).parent / "page"
_BUNDLE = "page.js"
_BUILD_TIMEOUT_S = 300.0
_ESBUILD = ("node_modules/.bin/esbuild", "main.js", "--bundle", "--format=iife", f"--outfile={_BUNDLE}")
# No lock file: it would name the registry that it was made with. The versions are exact all the same, as far
# as what simlab is about goes.
_INSTALL = ("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error")


def folder() -> Path:
    """Return where the page of these sources is kept, whether or not it is there.

    ``SIMLAB_CACHE`` says where, else ``XDG_CACHE_HOME``, else ``~/.cache``.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simlab"
    return Path(os.environ.get("SIMLAB_CACHE") or root) / f"page-{_hash()}"


@cache
def _hash() -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(PAGE.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def executable() -> str | None:
    """Return the path of the browser, or None."""
    return next((path for name in EXECUTABLES if (path := shutil.which(name))), None)


def is_built() -> bool:
    """Tell whether the page is there."""
    return (folder() / _BUNDLE).is_file()


def versions() -> dict[str, str]:
    """Return the versions of the packages in the page."""
    wanted: dict[str, str] = json.loads((PAGE / "package.json").read_text())["dependencies"]
    return {name: version for name, version in wanted.items() if name.startswith("@")}


def can_be_built() -> bool:
    """Tell whether there is what building it needs, beside a network."""
    return shutil.which("npm") is not None and shutil.which("node") is not None


def build() -> None:
    """Build the page, unless it is there.

    Raises
    ------
    SessionFailedError
        If npm or esbuild cannot do it, with their last line.
    """
    with _alone(folder()):
        if not is_built():
            _build(folder())


def _build(target: Path) -> None:
    work = target.with_name(f"{target.name}-being-built")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(PAGE, work)
    _run(work, *_INSTALL)
    _run(work, *_ESBUILD)
    shutil.rmtree(work / "node_modules")
    shutil.rmtree(target, ignore_errors=True)
    work.rename(target)


def _run(work: Path, *command: str) -> None:
    try:
        subprocess.run(
            command, cwd=work, check=True, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip().splitlines()
        raise SessionFailedError("client", f"{command[0]} failed: {said[-1] if said else error}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SessionFailedError("client", f"{command[0]} failed: {error}") from error


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Wait until no other process builds the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Build the page ahead of the first session: ``python -m simlab.live.chromium_page``."""
    build()


if __name__ == "__main__":
    main()
