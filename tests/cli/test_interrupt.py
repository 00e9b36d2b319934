"""Ctrl-C while Python imports simlab: the message and the status of any other Ctrl-C."""

import pytest

from simlab.cli import main as command_line

CTRL_C = "import signal; signal.raise_signal(signal.SIGINT)"


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("click", ["--help"]), ("rich", ["run", "clean"]), ("pydantic", ["run", "clean"])],
)
def test_while_a_module_is_imported(start, tmp_path, module, arguments):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / f"{module}.py").write_text(CTRL_C)
    process = start(*arguments, PYTHONPATH=str(tmp_path / "first"))
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "Interrupted.\n")


def test_while_the_commands_are_imported_for_the_help(simlab, monkeypatch):
    def ctrl_c(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "import_module", ctrl_c)
    result = simlab("--help")
    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
