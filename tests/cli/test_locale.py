"""Where the locale, or what output goes to, cannot write every character; names with unusual ones."""

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SHORT = 'duration = "3s"\n[peers]\nmedia = []\n'


def test_a_study_of_a_file_whose_name_the_locale_cannot_read(start, here):
    (here / "tür.toml").write_text(SHORT)
    process = start("sweep", "tür.toml", "--seeds", "1", "--jobs", "1", "--out", "öl", "--quiet", **ASCII)
    _, stderr = process.communicate(timeout=120)
    assert (process.returncode, stderr) == (0, "")
    (folder,) = (here / "öl").iterdir()
    assert '"tür.toml"' in (folder / "study.toml").read_text(encoding="utf-8")
    assert f"simlab sweep &#39;öl/{folder.name}&#39;" in (folder / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_written_is_escaped(start, here):
    (here / "short.toml").write_text(SHORT)
    process = start("run", "short.toml", "--out", "☂", "--quiet", PYTHONIOENCODING="latin-1")
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    assert stdout.startswith("\\u2602/")


def test_a_file_with_a_line_end_in_its_name_is_run(simlab, here):
    (here / "two\nlines.toml").write_text(SHORT)
    assert simlab("run", "two\nlines.toml", "--quiet").exit_code == 0
