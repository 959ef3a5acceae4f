"""``check``: every problem with file, line, key and mend; codes and JSON."""

import json

import pytest

GOOD = "millhand: 1\nname: my-cell\n"


@pytest.fixture
def scenario(tmp_path):
    def make(text: str):
        folder = tmp_path / "cell"
        folder.mkdir(exist_ok=True)
        (folder / "scenario.yaml").write_text(text, encoding="utf-8")
        return folder

    return make


def test_a_right_scenario_ends_with_nought(run, scenario):
    result = run("check", scenario(GOOD))
    assert (result.exit_code, "No problem found." in result.output) == (0, True)


def test_problems_name_file_line_key_and_mend(run, scenario):
    folder = scenario(GOOD + "devicse: {}\n")
    result = run("check", folder)
    assert result.exit_code == 1
    assert f"{folder}/scenario.yaml:3" in result.stdout
    assert "devices" in result.stdout
    assert "mend:" in result.stdout
    assert "1 problem found." in result.stderr


def test_json_for_machines(run, scenario):
    found = json.loads(run("check", scenario(GOOD + "devicse: {}\n"), "--json").stdout)
    (problem,) = found["problems"]
    assert (problem["line"], problem["key"]) == (3, "devicse")
    assert json.loads(run("check", scenario(GOOD), "--json").stdout)["problems"] == []


def test_an_adapter_that_is_not_installed_comes_with_the_command_to_install(run, scenario):
    result = run("check", scenario(GOOD + "devices:\n  plc: {adapter: acme, url: x}\n"))
    assert result.exit_code == 1
    assert "scenario.yaml:4" in result.stdout
    assert "pip install" in result.stdout


def test_nothing_there(run, tmp_path):
    result = run("check", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "cannot be read" in result.stdout


def test_markup_in_a_scenario_is_not_obeyed(run, scenario):
    result = run("check", scenario(GOOD + "'[bold]x[/bold]': 1\n"))
    assert "[bold]x[/bold]" in result.stdout
