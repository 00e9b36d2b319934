"""The kept encoder writes what the standard library writes, and refuses what it refuses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.core.json_text import json_writer

ENCODERS = [
    json.JSONEncoder(),
    json.JSONEncoder(ensure_ascii=False, separators=(",", ":")),
    json.JSONEncoder(sort_keys=True, allow_nan=False),
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=12,
)


def _outcome(write, value):
    try:
        return write(value)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("encoder", ENCODERS)
@given(value=values)
def test_any_value_is_written_alike(encoder, value):
    write = json_writer(encoder)
    assert _outcome(write, value) == _outcome(encoder.encode, value)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_what_is_no_json_is_refused_alike(encoder):
    circle = []
    circle.append({"inside": circle})
    write = json_writer(encoder)
    for value in (circle, object(), {"a": {1}}, {(1, 2): 3}):
        with pytest.raises((TypeError, ValueError)) as kept:
            write(value)
        with pytest.raises(kept.type, match=None):
            encoder.encode(value)
        assert write({"a": 1}) == encoder.encode({"a": 1})
