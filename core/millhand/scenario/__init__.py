"""``scenario.yaml``: loading it, checking it, and errors that name file, line, key and mend."""

from millhand.scenario.load import Scenario, load, load_text
from millhand.scenario.schema import ScenarioFile

__all__ = ["Scenario", "ScenarioFile", "load", "load_text"]
