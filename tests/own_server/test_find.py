"""What ``MODULE:NAME`` may name, and what is said where it does not."""

import gc
import sys
import weakref
from pathlib import Path

import pytest
from aiohttp import web

from simlab.batch.scenarios import Wanted, scenarios
from simlab.core.errors import InvalidInputError
from simlab.own_server.find import fresh, why_not
from tests.needs import needs_pipecat
from tests.virtual.sessions import run_text


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module into the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text, name="bot_of_a_test"):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    yield write
    for name in [name for name in sys.modules if name.endswith("_of_a_test")]:
        del sys.modules[name]


WANTED = "want an ASGI or aiohttp application"


@pytest.mark.parametrize(
    ("text", "attribute", "reason"),
    [
        ("", "app", "there is no app in bot_of_a_test"),
        ("app = 3", "app", "want an ASGI or aiohttp application, or a function that makes one"),
        (
            "def app(token): pass",
            "app",
            f"which takes arguments, {WANTED}, or a function without arguments that makes one",
        ),
        (
            "async def app(): pass",
            "app",
            f"which is an async function, {WANTED}, or a function that makes one, not async",
        ),
    ],
)
def test_what_is_no_application(module, text, attribute, reason):
    assert why_not(f"{module(text)}:{attribute}") == reason


def test_a_bot_of_pipecats_runner(module):
    needs_pipecat()
    name = f"{module('async def bot(runner_args): pass')}:bot"
    assert why_not(name) is None
    assert {route.path for route in fresh(name).routes} >= {"/api/offer"}


def test_a_bot_of_pipecats_runner_without_pipecat(module, monkeypatch):
    monkeypatch.setattr(
        "simlab.own_server.pipecat_bot.find_spec", lambda name: None if name == "pipecat" else 1
    )
    told = 'which is a bot of Pipecat\'s, without pipecat: pip install "simlab[pipecat]"'
    assert why_not(f"{module('async def bot(runner_args): pass')}:bot") == told


def test_a_module_that_is_not_there():
    assert why_not("nowhere_at_all:app") == "there is no module nowhere_at_all"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import not_installed", "ModuleNotFoundError: No module named 'not_installed'"),
        ("raise ValueError('no key')", "ValueError: no key"),
        ("raise AttributeError('app')", "AttributeError: app"),
        ("from . import other", "ImportError: attempted relative import with no known parent package"),
    ],
)
def test_a_bug_of_the_module_is_told_with_its_traceback_alone(module, text, told):
    reason, traceback, file, line, last = why_not(f"{module(text)}:app").split("\n")
    assert (reason, traceback) == ("which cannot be imported:", "Traceback (most recent call last):")
    assert file.endswith('bot_of_a_test.py", line 1, in <module>')
    assert (line.strip(), last) == (text, told)


def test_a_module_with_a_syntax_error(module):
    reason, file, line, _, last = why_not(f"{module('def (')}:app").split("\n")
    assert reason == "which cannot be imported:"
    assert file.endswith('bot_of_a_test.py", line 1')
    assert (line.strip(), last) == ("def (", "SyntaxError: invalid syntax")


def test_a_file_in_place_of_a_module(module):
    assert why_not(f"{module('')}.py:app") == (
        "there is no module bot_of_a_test.py, want its name, without the .py: bot_of_a_test"
    )


def test_a_module_that_ends_the_process(module):
    name = module("import sys\nsys.exit('no key')")
    told = why_not(f"{name}:app")
    assert told.startswith("which ends the process when it is imported: SystemExit: no key (")
    assert told.endswith("bot_of_a_test.py:2)")


ASGI = "async def app(scope, receive, send): pass"
FACTORY = "from aiohttp import web\ndef make(): return web.Application()"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import asyncio\nasyncio.run(asyncio.sleep(0))", "asyncio.run(asyncio.sleep(0))"),
        ("import uvicorn\nuvicorn.run(lambda: 0, port=0)", "uvicorn.run(lambda: 0, port=0)"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_module_that_starts_an_event_loop(module, text, line):
    needs_pipecat()
    told = why_not(f"{module(text)}:app").splitlines()
    assert told[0] == "which cannot be imported:"
    assert f"    {line}" in told
    assert told[-2].startswith("RuntimeError: ")
    assert told[-1] == (
        'What starts an event loop (asyncio.run, uvicorn.run) belongs below if __name__ == "__main__":'
    )


def test_what_a_module_leaves_to_an_event_loop_ends_with_its_import(module):
    name = module(
        "import asyncio\ntask = asyncio.ensure_future(asyncio.sleep(9))\nasync def app(s, r, t): pass"
    )
    assert why_not(f"{name}:app") is None
    assert sys.modules[name].task.cancelled()


def test_an_application_and_a_function_that_makes_one(module):
    assert fresh(f"{module(ASGI)}:app").__name__ == "app"
    assert isinstance(fresh(f"{module(FACTORY, 'other_of_a_test')}:make"), web.Application)


def test_a_function_that_makes_something_else(module):
    with pytest.raises(ValueError, match="it makes int, want an ASGI or aiohttp application"):
        fresh(f"{module('def make(): return 3')}:make")


def test_a_module_and_those_beside_it_are_run_anew(module):
    module("calls = []", "state_of_a_test")
    name = module("from state_of_a_test import calls\nasync def app(scope, receive, send): pass")
    first = fresh(f"{name}:app").__globals__["calls"]
    first.append(1)
    assert fresh(f"{name}:app").__globals__["calls"] == []


@pytest.fixture
def package(tmp_path, module):
    """Write a package into the working directory, whose module ``inner`` has a list."""

    def write(own, main=""):
        (tmp_path / "package_of_a_test").mkdir()
        module("calls = []", "package_of_a_test/inner")
        module(own, "package_of_a_test/__init__")
        module(main, "package_of_a_test/main")
        return "package_of_a_test"

    yield write
    for name in [name for name in sys.modules if name.startswith("package_of_a_test")]:
        del sys.modules[name]


def test_a_package_that_has_the_application_itself_is_run_anew(package):
    name = package("import package_of_a_test.inner\ncalls = []\nasync def app(scope, receive, send): pass")
    first = fresh(f"{name}:app").__globals__
    first["calls"].append(1)
    first["package_of_a_test"].inner.calls.append(1)
    again = fresh(f"{name}:app").__globals__
    assert again["calls"] == again["package_of_a_test"].inner.calls == []


def test_what_a_module_imports_from_its_package_is_run_anew(package):
    name = package("", "from . import inner\nasync def app(scope, receive, send): pass")
    fresh(f"{name}.main:app").__globals__["inner"].calls.append(1)
    assert fresh(f"{name}.main:app").__globals__["inner"].calls == []


def test_fastapi_keeps_no_application_of_an_earlier_session(module):
    pytest.importorskip("fastapi")
    name = module("from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\nasync def page(): pass")
    first = weakref.ref(fresh(f"{name}:app"))
    fresh(f"{name}:app")
    gc.collect()
    assert first() is None


def test_the_place_is_in_the_users_own_code(module):
    name = module("import json\ndef make():\n    json.loads('')")
    last = run_text(f'[peers]\nserver = "{name}:make"\n').events[-1]
    assert last["reason"].endswith("bot_of_a_test.py:3)")


def test_an_application_that_does_not_start_is_a_failed_session(module):
    name = module("def make(): raise RuntimeError('no key')")
    last = run_text(f'[peers]\nserver = "{name}:make"\n').events[-1]
    assert (last.kind, last["stage"]) == ("failed", "server")
    assert last["reason"].startswith(f"{name}:make did not start: RuntimeError: no key (")
    assert last["reason"].endswith("bot_of_a_test.py:1)")


UNSTARTED = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
"""


def test_a_lifespan_that_fails_is_told_as_that(module):
    needs_pipecat()
    name = f"{module(UNSTARTED)}:app"
    last = run_text(f'[peers]\nserver = "{name}"\n').events[-1]
    assert (last.kind, last["stage"]) == ("failed", "server")
    assert last["reason"].startswith(
        f"{name} did not start: OSError: the application did not start: see its log"
    )


FAILING_LIFESPAN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    {}["database"]
    yield

app = FastAPI(lifespan=lifespan)
"""


def test_a_lifespan_that_raises_is_told_by_what_it_raises(module, tmp_path):
    needs_pipecat()
    name = f"{module(FAILING_LIFESPAN)}:app"
    last = run_text(f'[peers]\nserver = "{name}"\n').events[-1]
    place = tmp_path / "bot_of_a_test.py"
    assert last["reason"] == f"{name} did not start: KeyError: 'database' ({place}:7)"


WITHOUT_LIFESPAN = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
"""


def test_an_application_may_refuse_to_have_a_lifespan(module):
    needs_pipecat()
    timeline = run_text(f'duration = "2s"\n[peers]\nserver = "{module(WITHOUT_LIFESPAN)}:app"\n')
    assert timeline.events[-1].is_a("session", "end")


def test_a_wrong_server_names_the_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text('[peers]\nserver = "pipecatt"\n')
    with pytest.raises(InvalidInputError) as error:
        scenarios(Wanted(["p.toml"]))
    assert error.value.faults == ('p.toml: peers.server is "pipecatt", did you mean "pipecat"?',)
