import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlab.webrtc import messages

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
around = st.sampled_from(["", "", " ", "\n", "{}", "}", "\ufeff"])


@given(around, values, around, st.booleans())
def test_a_message_is_read_as_json_reads_it(before, value, after, binary):
    text = before + json.dumps(value) + after
    sent = text.encode() if binary else text
    try:
        expected = json.loads(sent)
    except ValueError:
        expected = None
    if isinstance(expected, dict):
        assert messages.parse(sent) == expected
    else:
        with pytest.raises(ValueError, match=r"."):
            messages.parse(sent)


def test_a_message_that_is_nested_too_deep_is_none():
    for text in ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "[" * 100_000, '{"a":' + "9" * 5000 + "}"):
        assert messages.parse_any(text) == {}
        with pytest.raises(ValueError, match=r"nested too deep|Exceeds the limit"):
            messages.parse(text)
