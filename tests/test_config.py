"""Schemas, defaults, documentation and registered methods say the same."""

from __future__ import annotations

import json

import jsonschema
import pandas as pd
import pytest
import yaml

from resistpath import METHODS
from resistpath.cli import COMPARE, DIFFERENTIAL, FETCH, META, RECIPE, THRESHOLDS, _parser
from resistpath.deconvolve import NEEDS_SIGNATURE, TAKES_SIGNATURE
from resistpath.deconvolve.signature import Recipe
from resistpath.io.tables import SHEET_ALIASES, TIMEPOINTS
from resistpath.mechanisms.verdict import Thresholds
from resistpath.quality import Gates
from resistpath.score import PANELS
from resistpath.units import QUANTITIES, parse_units


@pytest.fixture(scope="module")
def schemas(repository):
    folder = repository / "workflow" / "schemas"
    return {p.name.split(".")[0]: yaml.safe_load(p.read_text()) for p in folder.glob("*.yaml")}


@pytest.fixture(scope="module")
def config(repository):
    return yaml.safe_load((repository / "config" / "config.yaml").read_text())


def sections(schema):
    return {k: v for k, v in schema["properties"].items() if v.get("type") == "object"}


@pytest.mark.parametrize("name", ["config", "cohorts", "samples"])
def test_schemas_are_valid_and_describe_every_key(schemas, name):
    schema = schemas[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    parts = list(sections(schema).values()) if name == "config" else []
    for part in (schema, *parts):
        for key, entry in part["properties"].items():
            assert entry.get("description") or entry.get("type") == "object", key


def test_config_and_cohort_schemas_are_closed(schemas):
    assert schemas["config"]["additionalProperties"] is False
    assert schemas["cohorts"]["additionalProperties"] is False
    assert all(s["additionalProperties"] is False for s in sections(schemas["config"]).values())


def test_the_default_configuration_is_valid_and_states_every_default(schemas, config):
    jsonschema.validate(config, schemas["config"])
    for name, section in sections(schemas["config"]).items():
        defaults = {k: v["default"] for k, v in section["properties"].items()}
        assert config[name] == defaults


def test_the_command_line_has_the_same_defaults(config):
    assert vars(Gates()) == config["quality"]
    assert {k: v[0] for k, v in FETCH.items()} | {"mirrors": {}} == config["fetch"]
    assert {k: v[0] for k, v in THRESHOLDS.items()} == config["assess"] == vars(Thresholds())
    assert config["compare"] == COMPARE
    assert config["differential"] == DIFFERENTIAL
    assert config["meta"] == META
    parser = _parser()
    deconvolve = parser.parse_args(["deconvolve", "folder"])
    assert deconvolve.methods == config["deconvolve"]["methods"]
    assert deconvolve.signature == config["deconvolve"]["signatures"]
    assert Recipe(**{k: v[0] for k, v in RECIPE.items()}) == Recipe()


def test_methods_of_the_schema_are_the_registered_ones(schemas):
    for step in ("score", "deconvolve"):
        listed = schemas["config"]["properties"][step]["properties"]["methods"]["items"]["enum"]
        single = {"gene", "ratio"}  # take named genes, not a set
        panels = set(PANELS) if step == "score" else set()
        offered = set(METHODS[step]) | panels
        assert set(listed) == offered - single - NEEDS_SIGNATURE
    own = schemas["config"]["properties"]["deconvolve"]["properties"]["signatures"]["items"]
    assert set(own["properties"]["method"]["enum"]) == TAKES_SIGNATURE
    assert own["additionalProperties"] is False


@pytest.mark.parametrize(
    "own",
    [
        {"name": "LM22", "method": "mcpcounter", "path": "LM22.txt"},
        {"name": "a:b", "method": "svr", "path": "LM22.txt"},
        {"name": "LM22", "method": "svr"},
        {"name": "LM22", "method": "svr", "path": "LM22.txt", "scale": "none"},
    ],
)
def test_signatures_of_the_configuration_are_closed(schemas, config, own):
    def valid(own):
        jsonschema.validate(
            config | {"deconvolve": {"methods": ["svr"], "signatures": [own]}}, schemas["config"]
        )

    valid({"name": "LM22", "method": "svr", "path": "LM22.txt"})
    with pytest.raises(jsonschema.ValidationError):
        valid(own)


def test_the_default_cohort_sheet_is_valid(schemas, repository):
    sheet = pd.read_csv(repository / "config" / "cohorts.tsv", sep="\t", dtype=str)
    for row in sheet.to_dict("records"):
        jsonschema.validate(row, schemas["cohorts"])
        for column in ("expression", "samples"):
            assert (repository / "config" / row[column]).is_file()


@pytest.mark.parametrize("name", ["config", "cohorts", "samples"])
def test_the_configuration_page_names_every_key(schemas, repository, name):
    page = (repository / "config" / "README.md").read_text()
    keys = list(schemas[name]["properties"])
    if name == "config":
        keys = [k for k in keys if k not in sections(schemas[name])]
        for section, part in sections(schemas[name]).items():
            keys += [f"{section}.{k}" for k in part["properties"]]
    missing = [k for k in keys if f"`{k}`" not in page]
    assert not missing


def test_vocabularies_agree(schemas, repository):
    samples = schemas["samples"]["properties"]
    assert tuple(samples["timepoint"]["enum"]) == TIMEPOINTS
    page = (repository / "config" / "README.md").read_text()
    for alias in SHEET_ALIASES:
        assert f"`{alias}`" in page
    units = schemas["cohorts"]["properties"]["units"]["description"]
    for quantity in QUANTITIES:
        assert quantity in units
        parse_units(quantity)


def test_the_readme_names_every_output_and_verb(repository):
    text = (repository / "README.md").read_text()
    for word in ("prepare", "score", "deconvolve", "reference build", "assess", "report"):
        assert f"`{word}`" in text or f"resistpath {word}" in text
    assert json.dumps("make demo")[1:-1] in text
    assert "make test" in text
    assert len(text.splitlines()) < 120
