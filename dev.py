#!/usr/bin/env python3
"""One command for each job of a developer; needs nothing but Python 3.11 or newer.

    python dev.py demo                 run the first cell: a simulated line, inspected for real
    python dev.py loop                 the whole feedback loop on it: drift, answers, a new model
    python dev.py test                 all checks, then all tests but the slow ones
    python dev.py test --slow          the slow ones too
    python dev.py test -k guard        whatever else pytest understands
    python dev.py conformance          run the conformance kits and write their results down
    python dev.py check                lint, format, types, import rules, generated files
    python dev.py docs                 write again what is generated: reference pages, catalogues
    python dev.py millhand plugins     the command `millhand` of this checkout
    python dev.py bundle FOLDER        all that running a cell needs, as one folder to copy; other
                                       distributions of ours than the casting cell's by their paths

The first run makes .venv and installs what the job needs; later runs start at once, until a
requirements file or a pyproject.toml changes. The exit code is the job's. Use python3 where the
system calls it so.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
RUN_TIME = ("requirements-dev.txt",)
"""What running needs. No torch, no tool of a developer."""
TESTING = ("requirements-dev.txt", "requirements-test.txt")
ALONE = "hardware_adapters/accelerators"
"""Tests that get a process of their own."""
CASTING_CELL = (
    ".",
    "plugins/quality",
    "hardware_adapters/opcua",
    "hardware_adapters/cameras",
    "hardware_adapters/accelerators",
    "hardware_adapters/simulated",
)
"""What a bundle holds where nothing else is asked for."""
NEVER_OPENED = (
    "onnxruntime/capi/libonnxruntime.so.*",
    "onnxruntime/datasets",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
    "numpy/f2py",
    "numpy/**/tests",
    "bin",
)
"""What a bundle leaves out: the C library that Python's own extension of ONNX Runtime doubles,
tools that make or test what a cell only runs, and commands that point to this computer."""
GENERATED = ("docs/catalogue.py", "docs/cli_reference.py", "docs/generate_reference.py")
"""Scripts that write a generated file again, or with --check say whether it is up to date."""


class JobError(Exception):
    """A step failed; carries the exit code and what to tell the person."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Print one line of progress, apart from what the job itself prints."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def call(command: list[str]) -> int:
    """Run a command in the repository's root and return its code; on Ctrl-C let it end itself."""
    process = subprocess.Popen(command, cwd=ROOT)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal has told the child too. It tidies up; a second Ctrl-C reaches it as well.
            continue


# --- the environment ---


def distributions() -> list[Path]:
    """List the folders of our own distributions, as requirements-dev.txt names them."""
    text = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    return [ROOT / path for path in re.findall(r"^-e\s+(\S+)", text, flags=re.MULTILINE)]


def fingerprint(requirements: tuple[str, ...]) -> str:
    """Hash all that decides what is installed: Python, requirement files, every pyproject.toml."""
    digest = hashlib.sha256(sys.version.encode())
    files = [ROOT / name for name in requirements]
    files += [folder / "pyproject.toml" for folder in distributions()]
    for file in files:
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def make_venv() -> None:
    """Make .venv; an old one of another Python is replaced."""
    say(f"making .venv with Python {sys.version.split()[0]}")
    if VENV.exists():
        shutil.rmtree(VENV)
    if call([sys.executable, "-m", "venv", str(VENV)]) != 0:
        raise JobError(
            4,
            "the virtual environment could not be made. On Debian and Ubuntu: "
            "sudo apt install python3-venv",
        )


def venv_fits() -> bool:
    """Tell whether .venv is there and of the Python that runs this file."""
    if not PYTHON.exists():
        return False
    question = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [str(PYTHON), "-c", question], capture_output=True, text=True, timeout=60, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == ".".join(map(str, sys.version_info[:2]))


def pip_install(*arguments: str) -> None:
    """Install quietly; a failure is told with pip's own words."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if call([*command, *arguments]) != 0:
        raise JobError(4, "pip could not install what is needed; its words are above")


def ensure(requirements: tuple[str, ...]) -> None:
    """Make .venv hold what ``requirements`` name, and do nothing where it already does."""
    stamp = VENV / f"installed-{'-'.join(Path(name).stem for name in requirements)}"
    wanted = fingerprint(requirements)
    if venv_fits() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    started = time.monotonic()
    if not venv_fits():
        make_venv()
    say(f"installing {' and '.join(requirements)} into .venv (the first time takes a while)")
    # The build backend once, instead of once for each of our distributions.
    pip_install("hatchling>=1.27", "editables>=0.5")
    pip_install("--no-build-isolation", *(f"--requirement={name}" for name in requirements))
    stamp.write_text(wanted, encoding="ascii")
    say(f"installed in {time.monotonic() - started:.0f} s")


def tool(name: str) -> str:
    """Return the path of a command of .venv."""
    return str(BIN / (f"{name}.exe" if os.name == "nt" else name))


# --- the jobs ---


def demo(arguments: list[str]) -> int:
    """Run the first cell."""
    ensure(RUN_TIME)
    return call([tool("millhand"), "demo", *arguments])


def millhand(arguments: list[str]) -> int:
    """Run the command of this checkout."""
    ensure(RUN_TIME)
    return call([tool("millhand"), *arguments])


def packages() -> list[str]:
    """List the import packages of all our distributions, for the type checker."""
    return sorted(
        str(marker.parent.relative_to(ROOT))
        for folder in [ROOT / "core", *distributions()]
        for marker in folder.glob("millhand*/py.typed")
    )


def loop(arguments: list[str]) -> int:
    """Tell the feedback loop on the simulated line; distilling needs the extra for it."""
    ensure(TESTING)
    return call([str(PYTHON), "tests/end_to_end/feedback_loop", *arguments])


def check(arguments: list[str]) -> int:
    """Run every check, tell which failed, and return 1 if any did."""
    if arguments:
        raise JobError(2, "check takes no arguments")
    ensure(TESTING)
    steps: list[tuple[str, list[str]]] = [
        ("lint", [tool("ruff"), "check", "--quiet", "."]),
        ("format", [tool("ruff"), "format", "--quiet", "--check", "."]),
        ("types", [tool("mypy"), "--no-error-summary", "dev.py", *packages()]),
        ("import rules", [tool("lint-imports"), "--no-logo"]),
        *((f"{script} --check", [str(PYTHON), script, "--check"]) for script in GENERATED),
    ]
    failed = []
    for name, command in steps:
        say(f"check: {name}")
        if call(command) != 0:
            failed.append(name)
    if failed:
        say(f"check failed: {', '.join(failed)}")
    return 1 if failed else 0


def test(arguments: list[str]) -> int:
    """Run the checks and, where they pass, the tests. pytest has the last word."""
    if "--no-check" in arguments:
        arguments = [argument for argument in arguments if argument != "--no-check"]
        ensure(TESTING)
    elif check([]) != 0:
        return 1
    selection = ["-m", "not slow"]
    if "--slow" in arguments:
        arguments = [argument for argument in arguments if argument != "--slow"]
        selection = []
    pytest = [str(PYTHON), "-m", "pytest", *selection, *arguments]
    if any(not argument.startswith("-") for argument in arguments):
        return call(pytest)
    # OpenVINO and torch once ended each other's process, so they are tested apart. With today's
    # versions they do not: tests/test_beside_torch.py there has both compute in one process.
    alone = call([*pytest, ALONE])
    # Most tests wait for other processes: two run beside each other, those of a file in order.
    beside = ["--numprocesses=2", "--dist=loadfile"]
    rest = call([*pytest, *beside, f"--ignore={ALONE}"])
    return alone or rest


def conformance(arguments: list[str]) -> int:
    """Run the conformance kits of all distributions and examples; write results and page."""
    if arguments:
        raise JobError(2, "conformance takes no arguments")
    ensure(TESTING)
    results = ROOT / "docs" / "reference" / "conformance.json"
    results.unlink(missing_ok=True)
    pytest = [str(PYTHON), "-m", "pytest", "-q", f"--conformance={results}"]
    suites = [
        str(suite.relative_to(ROOT))
        for folder in ("plugins", "hardware_adapters")
        for suite in sorted((ROOT / folder).glob("*/tests/**/test_conformance*.py"))
    ]
    apart = [suite for suite in suites if Path(suite).is_relative_to(ALONE)]
    codes = [call([*pytest, *apart]), call([*pytest, *(one for one in suites if one not in apart)])]
    for suite in sorted((ROOT / "docs" / "examples").glob("*/tests/test_conformance.py")):
        settings = ["-c", str(suite.parents[1] / "pyproject.toml"), "-o", "pythonpath=. tests"]
        settings += ["-p", "no:cacheprovider"]
        codes.append(call([*pytest, *settings, str(suite)]))
    codes.append(call([str(PYTHON), "docs/generate_reference.py"]))
    return max(codes)


def docs(arguments: list[str]) -> int:
    """Write every generated file again."""
    if arguments:
        raise JobError(2, "docs takes no arguments")
    ensure(TESTING)
    codes = [call([str(PYTHON), script]) for script in GENERATED]
    return max(codes)


def bundle(arguments: list[str]) -> int:
    """Install the run time into a folder that can be copied, without what no run opens."""
    if not arguments or arguments[0].startswith("-"):
        raise JobError(2, "bundle takes a new folder, and whichever of our distributions it is for")
    folder = Path(arguments[0]).resolve()
    if folder.exists() and any(folder.iterdir()):
        raise JobError(2, f"{folder} is not empty")
    ensure(RUN_TIME)
    say(f"installing into {folder}")
    own = [str(ROOT / path) for path in arguments[1:] or CASTING_CELL]
    pip_install("--no-build-isolation", "--no-compile", f"--target={folder}", *own)
    whole = bytes_in(folder)
    leave_out(folder)
    say(f"{bytes_in(folder) / 1e6:.0f} MB; {whole / 1e6:.0f} MB with what no run opens")
    say(f"PYTHONPATH={folder} {Path(sys.executable).name} -m millhand.cli demo")
    return 0


def bytes_in(folder: Path) -> int:
    """Add up the sizes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def leave_out(folder: Path) -> None:
    """Remove what :data:`NEVER_OPENED` names."""
    for pattern in NEVER_OPENED:
        for path in list(folder.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


JOBS = {
    "demo": demo,
    "loop": loop,
    "test": test,
    "check": check,
    "conformance": conformance,
    "docs": docs,
    "millhand": millhand,
    "bundle": bundle,
}


def main(arguments: list[str]) -> int:
    """Run the job named first and return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if arguments else 2
    job = JOBS.get(arguments[0])
    if job is None:
        say(f"there is no job {arguments[0]!r}; there are: {', '.join(JOBS)}")
        return 2
    try:
        return job(arguments[1:])
    except JobError as failure:
        say(str(failure))
        return failure.code
    except KeyboardInterrupt:
        say("stopped")
        return 130


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - the one file that older Pythons get to read
        sys.exit(
            f"Millhand needs Python 3.11 or newer; this is {sys.version.split()[0]}.\n"
            f"Install one and run it by name, for example: python3.12 {' '.join(sys.argv)}"
        )
    code = main(sys.argv[1:])
    sys.exit(code if code >= 0 else 128 - code)
