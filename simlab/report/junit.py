"""A night as JUnit XML: a suite for each cell, a case for each check.

What XML cannot say, as the colours in the message of an exception, is escaped.
"""

from collections.abc import Mapping

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from simlab.core.printable import xml_text
from simlab.study.night import Night, NightCell
from simlab.study.nights import Check
from simlab.study.words import count

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def junit(night: Night) -> bytes:
    """Return the file.

    A check that the data speak against is a failure, one that can't be told is skipped (or a failure, where
    the suite is strict), and sessions that could not be run are an error.
    """
    report = JUnitXml(xml_text(f"simlab nightly: {night.suite}, night {night.number}"))
    known = {"commit": night.commit or "unknown", "night": str(night.number), **night.versions}
    if night.notes:
        known["notes"] = "; ".join(night.notes)
    for cell in night.cells:
        report.add_testsuite(_suite(night, cell, known))
        known = {}  # some readers collect the properties of all suites, and want none twice
    suites = list(report)
    # Of what is skipped, Jenkins' schema has the number in suites alone, so the counts are written here.
    report.tests = sum(suite.tests for suite in suites)
    report.failures = sum(suite.failures for suite in suites)
    report.errors = sum(suite.errors for suite in suites)
    report.time = 0.0
    content: bytes = report.tostring()  # type: ignore[no-untyped-call]
    return _DECLARATION + content


def _suite(night: Night, cell: NightCell, known: Mapping[str, str]) -> TestSuite:
    suite = TestSuite(xml_text(cell.name))
    suite.timestamp = night.at.removesuffix("Z")
    for name, value in known.items():
        suite.add_property(name, xml_text(value))
    suite.add_testcases([_case(night, cell, check) for check in cell.checks])
    if cell.failures:
        suite.add_testcase(_not_run(night, cell))
    return suite


def _case(night: Night, cell: NightCell, check: Check) -> TestCase:
    case = TestCase(xml_text(check.what), classname=_class(night, cell), time=0.0)
    if check.alarms or (night.strict and check.verdict == "can't be told"):
        found = Failure(xml_text(check.told), check.verdict)
        told = [check.told, *(f"{told}: {command}" for told, command in cell.replays)]
        found.text = xml_text("\n".join(told))
        case.result = [found]
    elif check.verdict in ("can't be told", "no baseline"):
        case.result = [Skipped(xml_text(check.told))]
    else:
        case.system_out = xml_text(check.told)
    return case


def _not_run(night: Night, cell: NightCell) -> TestCase:
    case = TestCase("every session can be run", classname=_class(night, cell), time=0.0)
    found = Error(f"{count(len(cell.failures), 'session')} could not be run", "session")
    found.text = xml_text("\n".join(cell.failures))
    case.result = [found]
    return case


def _class(night: Night, cell: NightCell) -> str:
    """Return what CI systems sort by: parts with dots between, so that no part has one of its own."""
    parts = [night.suite, *(str(value) for value in cell.labels.values())]
    return xml_text(".".join(part.replace(".", "_") for part in parts))
