"""The text of files that a user names."""

import errno
from pathlib import Path

from simlab.core.errors import InvalidInputError
from simlab.profile.text import LONGEST_TEXT


def text_beside(profile: Path, file: str) -> str:
    """Return the text of a file that a profile names, which lies beside it, as a session is going to have it.

    Raises
    ------
    OSError
        If it cannot be read, or is longer than the profile may be that it becomes part of.
    UnicodeDecodeError
        If it is not UTF-8.
    """
    with (profile.parent / file).open("rb") as opened:
        content = opened.read(LONGEST_TEXT + 1)
    if len(content) > LONGEST_TEXT:
        raise OSError(errno.EFBIG, f"it is longer than {LONGEST_TEXT // 10**6} MB")
    return content.decode("utf-8-sig")


def text_of(path: Path, what: str) -> str:
    """Return the text of a file; what is longer than any profile may be cut off.

    Parameters
    ----------
    what
        What it should be, for a message: ``"a profile"``.

    Raises
    ------
    InvalidInputError
        If it is a folder, cannot be read, or is not UTF-8.
    """
    if path.is_dir():
        raise InvalidInputError([f"{path}: is a folder, want {what} (a TOML file)"])
    try:
        with path.open("rb") as file:
            content = file.read(4 * LONGEST_TEXT)  # more is too long in any encoding
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        reason = "is not text in UTF-8"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    raise InvalidInputError([f"{path}: {reason}"])
