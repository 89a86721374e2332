"""Break every import contract of pyproject.toml on purpose, in a copy, and see import-linter notice.

    python packaging/check_contracts.py

A contract that names a module that has moved, or that lives elsewhere, passes for ever and holds nothing. So for each
contract every source module gets every import forbidden to it (in its last file, not in ``__init__``),
``lint-imports`` runs once, and each of those imports has to be named in what it says.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from itertools import chain, permutations
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Breach:
    """A forbidden import: the module that shall import, and what it imports."""

    importer: str
    imported: str


def breaches_of(contract: dict[str, object]) -> list[Breach]:
    """Every forbidden import of a contract: each source and target, each step up and each step to a sibling, and what
    only a few may import in every other room."""
    if contract["type"] == "forbidden":
        targets = _names(contract["forbidden_modules"])
        return [Breach(source, target) for source in _names(contract["source_modules"]) for target in targets]
    if contract["type"] == "protected":
        protected, allowed = _names(contract["protected_modules"]), _names(contract["allowed_importers"])
        return [Breach(room, target) for room in _rooms() if room not in allowed for target in protected]
    layers = [[name.strip() for name in layer.split("|")] for layer in _names(contract["layers"])]
    up = [Breach(low, high) for i, layer in enumerate(layers) for low in layer for high in chain(*layers[:i])]
    sideways = [Breach(one, other) for layer in layers for one, other in permutations(layer, 2)]
    return up + sideways


def _rooms() -> list[str]:
    """The packages and modules at the top of the program."""
    found = (path.with_suffix("") for path in sorted((ROOT / "segstudio").iterdir()) if path.suffix in ("", ".py"))
    return [f"segstudio.{path.name}" for path in found if not path.name.startswith("_")]


def _names(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(name) for name in value]


def break_all(copy: Path, breaches: list[Breach]) -> list[str]:
    """Write the forbidden imports into the copy; returns for each how import-linter will write it."""
    written = []
    for breach in breaches:
        file = _last_file(copy, breach.importer)
        with file.open("a", encoding="utf-8") as text:
            text.write(f"\nimport {breach.imported}\n")
        module = ".".join(file.relative_to(copy).with_suffix("").parts)
        written.append(f"{module} -> {breach.imported}")
    return written


def _last_file(copy: Path, module: str) -> Path:
    path = copy.joinpath(*module.split("."))
    if not path.is_dir():
        return path.with_suffix(".py")
    inside = sorted(p for p in path.rglob("*.py") if not p.name.startswith("__"))
    return inside[-1] if inside else path / "__init__.py"


def unnoticed(contract: dict[str, object]) -> list[str]:
    """The breaches of one contract that import-linter does not name."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "segstudio", copy / "segstudio", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        written = break_all(copy, breaches_of(contract))
        tool = Path(sys.executable).with_name("lint-imports")
        command = [str(tool), "--no-cache", "--verbose"]
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return written
        said = " ".join(done.stdout.split())
        return [line for line in written if line not in said]


def main() -> int:
    """Check every contract; 1 where a breach goes unnoticed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    failed = 0
    for contract in settings["tool"]["importlinter"]["contracts"]:
        missed = unnoticed(contract)
        failed += len(missed)
        count = len(breaches_of(contract))
        print(f"{contract['name']}: {count - len(missed)} of {count} breaches noticed")
        for line in missed:
            print(f"    not noticed: {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
