"""What a misspelt word was probably meant to be, and how a message shows it."""

import json
from collections.abc import Collection
from difflib import get_close_matches

# Words that are no misspelling of ours, but that other tools use for the same thing.
_ELSEWHERE = {
    "latency": "delay",
    "bandwidth": "rate",
    "capacity": "rate",
    "buffer": "queue",
    "limit": "queue",
    "variation": "jitter",
    "start": "at",
    "begin": "at",
    "length": "for",
    "duplication": "duplicate",
    "corruption": "corrupt",
    "faults": "fault",
    "classes": "match",
    "type": "kind",
}


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known word that is nearest, or None if none is near."""
    elsewhere = _ELSEWHERE.get(word)
    if elsewhere in known:
        return elsewhere
    close = get_close_matches(word[:100], sorted(known), n=1)
    return close[0] if close else None


def one_of(word: str, known: Collection[str]) -> str:
    """Say what is wanted instead of an unknown word."""
    near = nearest(word, known)
    if near is not None:
        return f'did you mean "{near}"?'
    names = [f'"{name}"' for name in known]
    return f"want {names[0]}" if len(names) == 1 else f"want one of {', '.join(names)}"


def quoted(text: str) -> str:
    """Write a text for a message: in quotes, short, on one line."""
    return json.dumps(text if len(text) <= 60 else text[:57] + "...", ensure_ascii=False)
