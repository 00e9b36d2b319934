import pytest
from aiortc import RTCIceServer

from simlab.webrtc.errors import RTVIError
from simlab.webrtc.request_params import ConnectionParams, RequestParams, connection_params, resolve

OWN = RequestParams("http://own/")
START = RequestParams("http://bot/start", {"Authorization": "Bearer x"})


def endpoint(params):
    return params.request and params.request.endpoint


@pytest.mark.parametrize(
    ("request_params", "url", "older_url", "wins"),
    [
        (RequestParams("http://r/"), "http://w/", "http://c/", "http://r/"),
        (None, "http://w/", "http://c/", "http://w/"),
        (None, None, "http://c/", "http://c/"),
        (None, None, None, "http://own/"),
        (None, 7, "http://c/", "http://own/"),  # what can't be used is ignored, and hides the older one
        ({"no": "endpoint"}, "http://w/", None, "http://own/"),
        ({"endpoint": "http://json/"}, None, None, "http://json/"),
    ],
)
def test_what_is_newer_wins(request_params, url, older_url, wins):
    assert resolve(request_params, url, older_url, OWN).endpoint == wins


def test_nothing_is_none():
    assert resolve(None, None, None, None) is None
    assert connection_params(None, OWN, None, None) == ConnectionParams()


def test_a_request_in_json_has_its_timeout_in_milliseconds():
    request = {"endpoint": "http://r/", "headers": {"a": "b"}, "requestData": [1], "timeout": 1500}
    assert resolve(request, None, None, None) == RequestParams("http://r/", {"a": "b"}, [1], 1.5)


@pytest.mark.parametrize("given", ["http://r/", 7, True])
def test_what_is_no_mapping_is_refused(given):
    with pytest.raises(RTVIError, match="Invalid connection params"):
        connection_params(given, OWN, None, None)


@pytest.mark.parametrize("key", ["webrtc_url", "webrtcUrl", "connection_url", "connectionUrl"])
def test_both_cases_are_understood_and_other_keys_ignored(key, caplog):
    given = {key: "http://w/", "file_upload_url": "x", "constructor": 1}
    assert endpoint(connection_params(given, OWN, None, None)) == "http://w/"
    assert "Unrecognized connection parameter: file_upload_url" in caplog.text


@pytest.mark.parametrize("key", ["session_id", "sessionId"])
def test_a_session_takes_the_place_of_start_and_keeps_its_headers(key):
    params = connection_params({key: "s1"}, None, START, None)
    assert params.request == RequestParams("http://bot/sessions/s1/api/offer", START.headers)


@pytest.mark.parametrize(
    ("start", "template", "offers"),
    [
        ("http://bot/start", "http://else/:sessionId/x/:sessionId", "http://else/s1/x/:sessionId"),
        ("http://bot/startups/start", None, "http://bot/sessions/s1/api/offerups/start"),
        ("http://bot/begin", None, "http://bot/begin"),
    ],
)
def test_only_the_first_place_is_replaced(start, template, offers):
    assert endpoint(connection_params({"sessionId": "s1"}, None, RequestParams(start), template)) == offers


def test_a_session_counts_only_after_a_start_and_without_a_url():
    assert endpoint(connection_params({"sessionId": "s1"}, OWN, None, None)) == "http://own/"
    given = {"sessionId": "s1", "webrtcUrl": "http://w/"}
    assert endpoint(connection_params(given, OWN, START, None)) == "http://w/"


def test_ice_servers_of_the_answer_take_the_place_of_the_clients():
    servers = [{"urls": "stun:a"}, {"urls": ["turn:b"], "username": "u", "credential": "c"}]
    params = connection_params({"iceConfig": {"iceServers": servers}}, OWN, START, None)
    assert params.ice_servers == (RTCIceServer("stun:a"), RTCIceServer(["turn:b"], "u", "c"))
    assert connection_params({"ice_config": {"iceServers": []}}, OWN, START, None).ice_servers == ()
    assert connection_params({"ice_config": {}}, OWN, START, None).ice_servers is None
