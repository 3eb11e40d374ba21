#!/usr/bin/env python3
"""Print how many tests passed and failed, from pytest's JUnit report: count_tests.py REPORT.xml."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> None:
    """Print one line; fail when no test ran."""
    text = Path(sys.argv[1]).read_text("utf-8")
    if not text:
        sys.exit("pytest wrote no report")
    suite = ET.fromstring(text).find("testsuite")  # noqa: S314 - our own pytest wrote it
    if suite is None:
        sys.exit("pytest's report holds no tests")
    total, failed, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "skipped"))
    failed += int(suite.get("errors", 0))
    print(f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped")
    if total - skipped == 0:
        sys.exit("no test ran")


if __name__ == "__main__":
    main()
