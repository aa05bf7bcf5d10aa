"""Runs every case and appends its result to a file: run.py OUTFILE BRIDGE_BINARY [part of a preset's name]."""

import importlib
import json
import pathlib
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import StringIO

from bridge import Bridge
from checks import Checks

HERE = pathlib.Path(__file__).parent


def cases():
    for path in sorted((HERE / "cases").glob("[a-z]*.py")):
        yield from importlib.import_module(f"cases.{path.stem}").CASES


def result(case, checks):
    line = {
        "preset": case.preset,
        "sdk": f"{case.sdk}@{version(case.sdk)}",
        "language": "python",
        "sdk_signs": bool(case.sign),
        "sdk_verifies": bool(case.verify),
        "passed": len(checks.passed),
        "failed": len(checks.failed),
        "checks": [*checks.passed, *checks.failed],
    }
    if case.about:
        line["about"] = case.about
    if checks.failed:
        line["failures"] = [{"check": check, "error": error} for check, error in checks.failed.items()]
    return line


def main(out, binary, part=""):
    # What the libraries print when they refuse is not our output.
    warnings.simplefilter("ignore")
    bridge = Bridge(binary)
    lines = []
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        for case in cases():
            if part in case.preset:
                lines.append(result(case, Checks(bridge, case).run()))
    bridge.close()
    lines.sort(key=lambda line: (line["preset"], line["sdk"], line.get("about", "")))
    with open(out, "a", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            for failure in line.get("failures", []):
                print(f"{line['preset']} ({line['sdk']}): {failure['check']}: {failure['error']}", file=sys.stderr)
    return 1 if any(line["failed"] for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
