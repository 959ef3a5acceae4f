"""Words, help, exit codes, bugs told without a traceback."""

import json
import subprocess
import sys

import click
import pytest

from millhand.cli.exits import ExitCode, tell_error
from millhand.cli.program import program
from millhand.errors import (
    ConfigError,
    InternalError,
    NotAllowed,
    PackageError,
    Unavailable,
)

WORDS = (
    *("demo", "check", "run", "status", "plugins", "journal", "review", "schema"),
    *("bench", "distil", "service", "backup", "restore", "doctor", "attack", "completion"),
)


def raised(error: Exception) -> Exception:
    """Give an error the traceback that it has once it was raised."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


def all_paths(command: click.Command, context: click.Context, path=()):
    yield path
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from all_paths(command.get_command(context, name), context, (*path, name))


def test_every_command_has_help_that_says_something(run):
    context = click.Context(program, info_name="millhand")
    paths = [*all_paths(program, context)]
    assert {path[0] for path in paths if path} >= set(WORDS)
    for path in paths:
        result = run(*path, "--help")
        assert result.exit_code == 0, (path, result.output)
        assert len(result.output.splitlines()) > 5, path


def test_top_help_lists_all_words_with_summaries(run):
    lines = run("--help").output.splitlines()
    for word in WORDS:
        (line,) = [line for line in lines if line.startswith(f"  {word} ")]
        assert line.rstrip().endswith(".")


def test_help_imports_nothing_heavy():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from millhand.cli.program import program\n"
        "assert CliRunner().invoke(program, ['--help']).exit_code == 0\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(found.stdout.split())
    heavy = {"numpy", "PIL", "sqlalchemy", "torch", "onnxruntime", "asyncua", "rich", "structlog"}
    assert not loaded & heavy
    assert "click" in loaded


def test_version(run):
    assert run("--version").output.startswith("millhand, version 0.")


@pytest.mark.parametrize("arguments", [["nope"], ["journal", "nope"], ["demo", "--parts", "0"], []])
def test_wrong_usage_ends_with_two(run, arguments):
    assert run(*arguments).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x", mend="Do y."), 3),
        (NotAllowed("x", mend="Do y."), 3),
        (PackageError("x", fault="hash", mend="Do y."), 3),
        (Unavailable("x", mend="Do y."), 4),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (ExceptionGroup("several", [ConfigError("x", mend="Do y."), Unavailable("z")]), 4),
    ],
)
def test_errors_end_with_their_code_and_tell_the_mend(capsys, error, code):
    assert tell_error(error) == code
    told = capsys.readouterr().err
    assert "Traceback" not in told
    if code in (3, 4):
        assert "x" in told
        assert "Do y." in told


@pytest.mark.parametrize("error", [RuntimeError("boom"), InternalError("a promise was broken")])
def test_a_bug_is_written_to_a_file_and_not_to_the_screen(capsys, monkeypatch, tmp_path, error):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert tell_error(raised(error)) == ExitCode.BUG
    told = capsys.readouterr().err
    assert "Traceback" not in told
    (file,) = tmp_path.rglob("crash-*.txt")
    assert str(file) in told
    assert "Traceback (most recent call last)" in file.read_text()


def test_a_bug_in_a_command_ends_with_five(shell, monkeypatch, tmp_path):
    code = (
        "from millhand.cli.program import program\n"
        "import millhand.plugins\n"
        "def broken(*a, **k): raise ZeroDivisionError('oh')\n"
        "millhand.plugins.Plugins.discover = broken\n"
        "program(['plugins'])\n"
    )
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == ExitCode.BUG
    assert "ZeroDivisionError: oh" in found.stderr
    assert "Traceback (most" not in found.stderr


def test_plugins_as_table_and_json(run):
    told = json.loads(run("plugins", "--json").stdout)
    names = {plugin["name"] for plugin in told["plugins"]}
    assert "opcua" in names
    assert "opcua" in run("plugins").output


@pytest.mark.parametrize("options", [[], ["--core-only"]])
def test_schema_is_json_schema(run, options, tmp_path):
    found = json.loads(run("schema", *options).stdout)
    assert found["$schema"].startswith("https://json-schema.org")
    assert "devices" in found["properties"]
    file = tmp_path / "s.json"
    assert run("schema", *options, "--output", file).exit_code == 0
    assert json.loads(file.read_text(encoding="utf-8")) == found


def test_schema_that_cannot_be_written_is_unavailable(run, tmp_path):
    assert run("schema", "-o", tmp_path / "no" / "s.json").exit_code == ExitCode.UNAVAILABLE


@pytest.mark.parametrize("word", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts(run, word):
    result = run("completion", word)
    assert result.exit_code == 0
    assert "_MILLHAND_COMPLETE" in result.output


def test_completion_knows_words_and_options(shell):
    found = shell(_MILLHAND_COMPLETE="bash_complete", COMP_WORDS="millhand jour", COMP_CWORD="1")
    assert "plain,journal" in found.stdout.split()


def test_a_closed_pipe_is_no_bug(environment):
    found = subprocess.run(
        f"'{sys.executable}' -m millhand.cli schema | head -1",
        shell=True,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )
    assert found.stdout.strip() == "{"
    assert "Traceback" not in found.stderr
    assert "bug" not in found.stderr
