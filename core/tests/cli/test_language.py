"""Every text goes through the catalogue: a pseudo-language leaves no word of English behind."""

import ast
import io
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import millhand
from millhand.cli.program import program

LOCALE = Path(millhand.__file__).parent / "locale"
ROOT = Path(millhand.__file__).parents[2]
OURS = tuple(program.list_commands(click.Context(program)))[:11]
LEFT = re.compile(
    r"""
    --?[a-z][a-z-]*            # options
  | [A-Z][A-Z_]+(\|[A-Z]+)*    # what stands for a value
  | \bmillhand\b
  | <?=?[0-9.]+                # bounds, numbers
  | \bx\b
  | \{[a-z|]+\}                # choices
    """,
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory) -> Path:
    """A folder of catalogues in which every text stands in brackets."""
    folder = tmp_path_factory.mktemp("locale")
    with (LOCALE / "millhand.pot").open("rb") as file:
        template = read_po(file)
    catalog = Catalog(locale="de")
    for message in template:
        if not message.id:
            continue
        one = message.id[0] if isinstance(message.id, tuple) else message.id
        translated = f"⟦{one}⟧"
        plural = isinstance(message.id, tuple)
        catalog.add(message.id, (translated, translated) if plural else translated)
    target = folder / "de" / "LC_MESSAGES" / "millhand.mo"
    target.parent.mkdir(parents=True)
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    target.write_bytes(buffer.getvalue())
    return folder


@pytest.fixture
def speak(pseudo, environment):
    """Run the command line in the pseudo-language."""

    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        code = (
            "import sys; from pathlib import Path\n"
            "import millhand.messages as m\n"
            f"m.LOCALE_DIRECTORY = Path({str(pseudo)!r})\n"
            "from millhand.cli import main\n"
            "main()\n"
        )
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**environment, "LANGUAGE": "de"},
        )

    return call


def unwrapped(text: str) -> list[str]:
    """Return the words that do not come from the catalogue."""
    while True:
        text, count = re.subn(r"⟦[^⟦⟧]*⟧", " ", text)
        if not count:
            break
    assert "⟦" not in text, "a text was cut apart"
    return re.findall(r"[A-Za-z]{2,}", LEFT.sub(" ", text))


def test_the_test_can_fail():
    assert unwrapped("⟦Fine⟧ not fine --json PATH") == ["not", "fine"]


@pytest.mark.parametrize("word", ["", *OURS])
def test_help_has_no_text_outside_the_catalogue(speak, word):
    words = [word] if word else []
    found = speak(*words, "--help")
    assert "⟦" in found.stdout
    names = set(program.list_commands(click.Context(program)))
    groups = {"journal", "review", "andon", "models", "new", "service"}
    if word in groups:
        group = program.get_command(click.Context(program), word)
        names |= set(group.list_commands(click.Context(group)))
    # What plugins contribute is summed up in their own words.
    own = found.stdout.partition("⟦Commands of plugins⟧")[0]
    left = [one for one in unwrapped(own) if one not in names and one not in {"dont", "know"}]
    assert left == []


def test_output_has_no_text_outside_the_catalogue(speak, tmp_path, recorded):
    (tmp_path / "scenario.yaml").write_text("millhand: 1\nname: c\ndevicse: {}\n")
    told = {
        "check": speak("check", tmp_path).stdout,
        "wrong": speak("nope").stderr,
        "nothing": speak("journal", "tail", "--at", tmp_path / "none").stderr,
        "status": speak("status", "--at", recorded).stdout,
        "verify": speak("journal", "verify", "--at", recorded).stdout,
        "review": speak("review", "list", "--at", recorded).stdout,
        "agree": speak("review", "agree", "cell.1.1", "--at", recorded).stdout,
    }
    for what, text in told.items():
        assert "⟦" in text, what
    assert unwrapped(told["wrong"]) == []
    assert "⟦running⟧" in told["status"]
    assert "⟦control⟧" in told["status"]
    assert unwrapped(told["agree"]) == []


def test_no_text_hides_in_an_f_string_or_a_variable():
    """The extractor reads literals only; Python before 3.12 hides calls inside f-strings."""
    hidden = []
    for file in sorted((Path(millhand.__file__).parent).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for inside in ast.walk(node) if isinstance(node, ast.JoinedStr) else [node]:
                if not isinstance(inside, ast.Call) or not isinstance(inside.func, ast.Name):
                    continue
                wrapped = inside.func.id in {"tr", "trn"}
                literal = inside.args and isinstance(inside.args[0], ast.Constant)
                if wrapped and (isinstance(node, ast.JoinedStr) or not literal):
                    hidden.append(f"{file.name}:{inside.lineno}")
    assert hidden == []


def test_a_real_language_and_a_language_that_is_not_there(shell):
    vietnamese = shell("--help", LANGUAGE="vi").stdout
    english = shell("--help", LANGUAGE="en").stdout
    assert "Lệnh" in vietnamese
    assert "Commands" not in vietnamese
    assert "Commands:" in english
    assert shell("--help", LANGUAGE="tlh").stdout == english


def test_errors_are_translated_too(shell, tmp_path):
    english = shell("journal", "tail", "--at", tmp_path / "none", LANGUAGE="en").stderr
    vietnamese = shell("journal", "tail", "--at", tmp_path / "none", LANGUAGE="vi").stderr
    assert english.startswith("Error: There is no journal at")
    assert vietnamese.startswith("Lỗi: ")
    assert str(tmp_path / "none") in vietnamese


FEWEST = {"vi": 150, "zh": 60}
"""Texts that a catalogue translates at least; Chinese has those of reports."""


@pytest.mark.parametrize("file", sorted(LOCALE.glob("*/LC_MESSAGES/millhand.po")), ids=str)
def test_translations_keep_their_placeholders(file):
    with file.open("rb") as stream:
        catalog = read_po(stream, locale=file.parents[1].name)
    translated = [
        message for message in catalog if message.id and message.string and any(message.string)
    ]
    assert len(translated) > FEWEST[file.parents[1].name]
    for message in translated:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(re.findall(r"\{[a-z_]*[^}]*\}|%\([a-z]+\)s", " ".join(ids)))
        for string in filter(None, strings):
            assert set(re.findall(r"\{[a-z_]*[^}]*\}|%\([a-z]+\)s", string)) == wanted, ids


@pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="needs the checkout's docs")
def test_the_command_reference_is_up_to_date():
    found = subprocess.run(
        [sys.executable, "docs/cli_reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
