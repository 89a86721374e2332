"""Build the source archive and, from it, the wheel; then look into both.

    python packaging/build_wheel.py [--out DIR]        (default: dist/)

The wheel is built from the source archive, not from the checkout, so a file that the archive lacks is missed here and
not by the first person who installs it. Then the wheel is opened: every module and every resource is there with the
same bytes, the record agrees, metadata, entry points and licence are as pyproject.toml says, nothing else is inside
and no file names the machine it was built on. Needs the ``dev`` extra (build).
"""

import argparse
import base64
import csv
import email
import hashlib
import io
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST_MB = 40
IN_ARCHIVE = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "segstudio/",
    "resources/",
    "tests/",
    "packaging/",
)


def build(out: Path) -> tuple[Path, Path]:
    """Build into the empty folder ``out``; returns the wheel and the source archive."""
    out.mkdir(parents=True, exist_ok=True)
    old = [*out.glob("segstudio-*.whl"), *out.glob("segstudio-*.tar.gz")]
    for file in old:
        file.unlink()
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)], check=True)
    (wheel,), (archive,) = out.glob("segstudio-*.whl"), out.glob("segstudio-*.tar.gz")
    return wheel, archive


def problems_of_wheel(wheel: Path) -> list[str]:
    """What is wrong with the wheel, one sentence each; empty when it is good."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(wheel) as opened:
        content = {name: opened.read(name) for name in opened.namelist() if not name.endswith("/")}
    info = f"segstudio-{project['version']}.dist-info"
    return [
        *_wrong_files(content, info),
        *_wrong_record(content, info),
        *_wrong_metadata(content, info, project),
        *_wrong_size(wheel),
    ]


def _expected() -> dict[str, Path]:
    """Path in the wheel -> file in the checkout."""
    modules = {p.relative_to(ROOT).as_posix(): p for p in (ROOT / "segstudio").rglob("*") if p.is_file()}
    shipped = {f"segstudio/{p.relative_to(ROOT).as_posix()}": p for p in (ROOT / "resources").rglob("*") if p.is_file()}
    return {name: p for name, p in (modules | shipped).items() if "__pycache__" not in name}


def _wrong_files(content: dict[str, bytes], info: str) -> list[str]:
    expected = _expected()
    inside = {name for name in content if not name.startswith(info)}
    wrong = [f"{name} is missing from the wheel" for name in sorted(set(expected) - inside)]
    wrong += [f"{name} has no business in the wheel" for name in sorted(inside - set(expected))]
    both = inside & set(expected)
    wrong += [
        f"{name} differs from the checkout" for name in sorted(both) if content[name] != expected[name].read_bytes()
    ]
    here = str(ROOT).encode()
    wrong += [f"{name} names the folder it was built in" for name, data in sorted(content.items()) if here in data]
    return wrong


def _wrong_record(content: dict[str, bytes], info: str) -> list[str]:
    """Names, digests and sizes of RECORD against the content (the format of wheels: sha256, url-safe, no padding)."""
    rows = list(csv.reader(io.StringIO(content[f"{info}/RECORD"].decode())))
    listed = {row[0] for row in rows}
    wrong = [f"{name} is not in RECORD" for name in sorted(set(content) - listed)]
    for name, digest, size in rows:
        if not digest:
            continue
        found = base64.urlsafe_b64encode(hashlib.sha256(content.get(name, b"")).digest()).rstrip(b"=").decode()
        if digest != f"sha256={found}" or int(size) != len(content.get(name, b"")):
            wrong.append(f"{name} is not what RECORD says")
    return wrong


def _wrong_metadata(content: dict[str, bytes], info: str, project: dict[str, object]) -> list[str]:
    said = email.message_from_bytes(content[f"{info}/METADATA"])
    wrong = [
        f"METADATA says {field}: {said[field]}, pyproject.toml says {project[key]}"
        for field, key in (("Name", "name"), ("Version", "version"), ("Summary", "description"))
        if said[field] != project[key]
    ]
    wrong += _wrong_texts(said, content, info)
    entries = content.get(f"{info}/entry_points.txt", b"").decode()
    if "[console_scripts]" not in entries or "segstudio = segstudio.cli.main:entry" not in entries:
        wrong.append("the command segstudio is not among the entry points")
    if f'__version__ = "{project["version"]}"'.encode() not in content["segstudio/__init__.py"]:
        wrong.append("segstudio.__version__ is not the version of pyproject.toml")
    return wrong


def _wrong_texts(said: Message, content: dict[str, bytes], info: str) -> list[str]:
    wrong = []
    if said["License-Expression"] != "Apache-2.0" or f"{info}/licenses/LICENSE" not in content:
        wrong.append("the licence is not in the wheel")
    if said["Description-Content-Type"] != "text/markdown" or not str(said.get_payload()).strip():
        wrong.append("the README is not the description")
    if not any("pyside6" in line.lower() and "!=6.12.0" in line for line in said.get_all("Requires-Dist", [])):
        wrong.append("PySide6 6.12.0 is not excluded (docs/decisions/0002-pyside-6.12.0.md)")
    return wrong


def _wrong_size(wheel: Path) -> list[str]:
    megabytes = wheel.stat().st_size / 1e6
    return [f"the wheel has {megabytes:.0f} MB, more than {LARGEST_MB}"] if megabytes > LARGEST_MB else []


def problems_of_archive(archive: Path) -> list[str]:
    """What the source archive lacks."""
    with tarfile.open(archive) as opened:
        names = [name.partition("/")[2] for name in opened.getnames()]
    return [
        f"{part} is missing from the source archive"
        for part in IN_ARCHIVE
        if not any(n.startswith(part) for n in names)
    ]


def main() -> int:
    """Build, check, say; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="Build and check the wheel.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    wheel, archive = build(parser.parse_args().out)
    problems = problems_of_wheel(wheel) + problems_of_archive(archive)
    for problem in problems:
        print(f"{wheel.name}: {problem}", file=sys.stderr)
    if not problems:
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, every module and resource in place")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
