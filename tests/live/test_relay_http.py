"""The HTTP API of a relay: nobody gets in without the token, or by another name."""

import json
import signal
import stat
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    """A relay with an HTTP API: where, and its token."""
    folder = tmp_path_factory.mktemp("relay")
    command = [sys.executable, "-m", "simlab", "relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"]
    command += ["--json", "--control", "127.0.0.1:0", "--socket", str(folder / "control")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
            assert (process.returncode, err) == (0, "")
        finally:
            process.kill()


def ask(relay, method, path, token=None, **more):
    headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.request(method, relay["control"] + path, headers=headers, timeout=20, **more)


COMMANDS = ["status", "stats", "clients", "settings", "events", "set", "blackout", "load", "nothing"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_answers_without_the_token(relay, method):
    for command in COMMANDS:
        for given in (
            None,
            "x",
            relay["token"][:-1],
            relay["token"] + "x",
            "\N{LATIN SMALL LETTER E WITH ACUTE}",
        ):
            headers = {} if given is None else {"Authorization": f"Bearer {given}".encode()}
            found = httpx.request(method, f"{relay['control']}/api/{command}", headers=headers, timeout=20)
            assert (found.status_code, found.json()) == (401, {"faults": ["want the token"]})
    assert ask(relay, method, "/api/status?token=x").status_code == 401
    assert ask(relay, method, "/").status_code == 401


@pytest.mark.parametrize("path", ["/", "/?token=x", "/api/status"])
def test_a_browser_without_the_token_is_told_where_the_address_is(relay, path):
    headers = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    found = ask(relay, "GET", path, headers=headers)
    assert (found.status_code, found.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert found.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in found.headers["Content-Security-Policy"]
    assert "the address that the command printed" in found.text
    assert relay["token"] not in found.text


def test_the_live_page_is_all_there_is_to_it_and_asks_for_nothing_else(relay):
    found = ask(relay, "GET", f"/?token={relay['token']}")
    assert found.status_code == 200
    assert found.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in found.headers["Content-Security-Policy"]
    assert "/* style */" not in found.text
    assert "/* scripts */" not in found.text
    assert "http://" not in found.text
    assert "https://" not in found.text


def test_another_name_for_this_machine_is_not_served(relay):
    port = urlsplit(relay["control"]).port
    statuses = {
        host: ask(relay, "GET", "/api/status", relay["token"], headers={"Host": host}).status_code
        for host in (
            f"evil.example:{port}",
            f"localhost.evil.example:{port}",
            f"127.0.0.1:{port}",
            f"[::1]:{port}",
        )
    }
    assert list(statuses.values()) == [403, 403, 200, 200]


@pytest.mark.parametrize("token", ["right", "wrong"])
def test_a_page_of_another_origin_gets_nothing_whatever_it_guesses(relay, token):
    given = relay["token"] if token == "right" else "x"
    refused = {"faults": ["pages of another origin are not served"]}
    for method, path in (("GET", "/"), ("GET", "/api/status"), ("GET", "/api/events"), ("POST", "/api/set")):
        for site in ("cross-site", "same-site", "nonsense"):
            found = ask(relay, method, path, given, headers={"Sec-Fetch-Site": site})
            assert (found.status_code, found.json()) == (403, refused)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "https://evil", "null", "http://["]
)
def test_the_origin_of_another_page_is_refused_where_a_browser_says_no_more_than_that(relay, origin):
    refused = {"faults": ["pages of another origin are not served"]}
    for method, path in (("POST", "/api/set"), ("GET", "/api/events"), ("GET", "/")):
        found = ask(relay, method, path, relay["token"], headers={"Origin": origin})
        assert (found.status_code, found.json()) == (403, refused)


def test_its_own_origin_is_served(relay):
    for origin in (relay["control"], relay["control"].upper().replace("HTTP", "http")):
        assert ask(relay, "POST", "/api/clear", relay["token"], headers={"Origin": origin}).status_code == 200


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_its_own_page_and_who_types_the_address_are_served(relay, site):
    assert (
        ask(relay, "GET", "/api/status", relay["token"], headers={"Sec-Fetch-Site": site}).status_code == 200
    )


def test_settings_are_read_and_changed(relay):
    token = relay["token"]
    answer = ask(relay, "POST", "/api/set", token, json={"link.loss": "5%"}).json()["answer"]
    assert answer == ask(relay, "GET", "/api/settings", token).json()["answer"]
    assert answer["loss"] == "5%"
    assert ask(relay, "GET", f"/api/status?token={token}").json()["answer"]["listen"] == relay["listen"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "/api/set", b'{"link.loss": "5', 400, "not JSON"),
        ("POST", "/api/set", b"[1]", 400, "want an object"),
        ("POST", "/api/set", b'{"link.loss": "500%"}', 400, "link.loss"),
        ("POST", "/api/sett", b"{}", 404, "did you mean"),
        ("GET", "/api/clear", None, 405, "want POST"),
        ("POST", "/api/set", b"\xff" * 2**20, 400, "not JSON"),
    ],
)
def test_what_is_wrong_is_said(relay, method, path, body, status, word):
    found = ask(relay, method, path, relay["token"], content=body)
    assert found.status_code == status
    assert word in found.json()["faults"][0]


def test_events_are_streamed(relay):
    headers = {"Authorization": f"Bearer {relay['token']}"}
    with httpx.stream("GET", relay["control"] + "/api/events", headers=headers, timeout=20) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        ask(relay, "POST", "/api/set", relay["token"], json={"link.delay": "3ms"})
        for line in stream.iter_lines():
            event = json.loads(line.removeprefix("data: ")) if line else {}
            if event.get("kind") == "set":
                break
        assert event["settings"] == {"link.delay": "3ms"}


def test_the_token_can_go_to_a_file_of_its_owner(tmp_path):
    file = tmp_path / "token"
    file.write_text("old")
    file.chmod(0o666)
    command = [sys.executable, "-m", "simlab", "relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"]
    command += ["--control", "127.0.0.1:0", "--token-file", str(file), "--socket", str(tmp_path / "control")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline() for _ in range(3)]
        live_page = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    token = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token) == 43  # 32 bytes in base64
    assert token not in "".join(told)
    assert told[2].endswith(f"/api/status, its token is in {file}\n")
    assert live_page.endswith("/?token=…\n")


@pytest.mark.parametrize(
    "command",
    [
        ["relay", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--control", "0.0.0.0:0"],
        ["intercept", "--upstream", "http://127.0.0.1:9", "--listen", "0.0.0.0:0", "--control", "0.0.0.0:0"],
    ],
)
def test_what_is_everywhere_is_told_by_an_address_that_a_browser_can_open(tmp_path, command):
    # A page of 0.0.0.0 may not use the microphone, and some systems know no way there.
    command = [sys.executable, "-m", "simlab", *command, "--socket", str(tmp_path / "control")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            told = [process.stdout.readline() for _ in range(4 if command[3] == "relay" else 3)]
        finally:
            process.kill()
    urls = [word for line in told for word in line.split() if word.startswith("http://")]
    assert [urlsplit(url).hostname for url in urls if ":9." not in url] == ["127.0.0.1"] * 2


def test_a_token_that_is_no_text_is_a_wrong_one(relay):
    headers = {b"Authorization": b"Bearer \xff\xfe"}
    found = httpx.get(f"{relay['control']}/api/status", headers=headers)
    assert (found.status_code, found.json()) == (401, {"faults": ["want the token"]})
