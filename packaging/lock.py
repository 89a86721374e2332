"""Write the exact versions that this environment was tested with to packaging/constraints.txt.

    .venv/bin/python packaging/lock.py            in an environment made with pip install -e ".[dev]"
    .venv/bin/python packaging/lock.py --check    1 where the environment differs from the file

Only what the project itself pulls in is written (dependencies and both extras, followed to the end), not what else lies
in the environment. How the file is used stands in docs/decisions/0001-packages-and-lock.md.
"""

import argparse
import platform
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "packaging" / "constraints.txt"
HEAD = """\
# Exact versions that the tests passed with; made by packaging/lock.py on {system}, Python {python}.
# Use: pip install -c packaging/constraints.txt ".[test]"   (or PIP_CONSTRAINT, as .ci/run does)
"""


def closure(wanted: list[Requirement]) -> dict[str, str]:
    """Name -> installed version of the requirements and all that they require, extras included, here and now."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(requirement, "") for requirement in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        installed = distribution(name)
        found[name] = installed.version.partition("+")[0]
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(Requirement(text), extra) for text in installed.requires or []]
    return found


def wanted() -> list[Requirement]:
    """The dependencies of pyproject.toml with those of every extra and of the build."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    texts = [*project["dependencies"], *settings["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        texts += extra
    own = canonicalize_name(project["name"])
    return [r for r in map(Requirement, texts) if canonicalize_name(r.name) != own]


def main() -> int:
    """Write or compare the file."""
    parser = argparse.ArgumentParser(description="Write the tested versions to packaging/constraints.txt.")
    parser.add_argument("--check", action="store_true", help="compare only; 1 where the environment differs")
    options = parser.parse_args()
    try:
        versions = closure(wanted())
    except PackageNotFoundError as absent:
        print(f"{absent.name} is not installed here: pip install -e '.[dev]' first", file=sys.stderr)
        return 1
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    if options.check:
        locked = {line for line in LOCK.read_text(encoding="utf-8").splitlines(keepends=True) if line[0] != "#"}
        for line in sorted(set(lines) - locked):
            print(f"not in the lock: {line.strip()}")
        return 1 if set(lines) - locked else 0
    head = HEAD.format(system=platform.system(), python=".".join(platform.python_version_tuple()[:2]))
    LOCK.write_text(head + "".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
