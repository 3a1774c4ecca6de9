"""docs/scaling.md: its example cluster and its table of weights."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sparring.training.cluster.forecast import forecast
from sparring.training.cluster.inputs import Cluster
from sparring.training.cluster.traffic import BFLOAT16, FLOAT32, LLAMAS, fan_out

DOCS = Path(__file__).parents[2] / "docs"


def example() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="reads the example with PyYAML")
    found: dict[str, Any] = yaml.safe_load((DOCS / "examples/ray-cluster.yaml").read_text())
    return found


def test_the_cluster_keeps_to_rays_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="validates with jsonschema")
    ray = importlib.util.find_spec("ray")  # not imported: that takes seconds
    if ray is None or ray.submodule_search_locations is None:
        pytest.skip("Ray, which has the schema, is not installed")
    schema = Path(ray.submodule_search_locations[0]) / "autoscaler/ray-schema.json"
    jsonschema.validate(example(), json.loads(schema.read_text()))


def test_the_cluster_has_the_nodes_of_the_page() -> None:
    """What Ray checks besides its schema, and the workers that the page asks for."""
    config = example()
    types = config["available_node_types"]
    players = sum(kind.get("min_workers", 0) for kind in types.values())
    assert types[config["head_node_type"]]["resources"]["GPU"] == 1
    assert players == config["max_workers"] == 7
    assert f"--rollout-workers {players}" in (DOCS / "scaling.md").read_text()


def test_the_table_of_weights() -> None:
    page = (DOCS / "scaling.md").read_text()
    for shape in LLAMAS:
        row = re.search(rf"^\| {shape.name} \| (.*) \|$", page, re.MULTILINE)
        assert row
        cells = [float(cell.replace(",", "")) for cell in row[1].split(" | ")]
        full, lora = shape.parameters, FLOAT32 * shape.lora_parameters(16)
        sent = fan_out(BFLOAT16 * full, 4, 12.5e9)
        assert cells[0] == full
        assert cells[1:] == pytest.approx(
            [
                FLOAT32 * full / 1e9,
                BFLOAT16 * full / 1e9,
                sent.sequential,
                sent.tree,
                lora / 1e9,
                fan_out(lora, 4, 12.5e9).sequential,
            ],
            rel=0.03,
        )


def test_the_table_of_forecasts() -> None:
    page = (DOCS / "scaling.md").read_text()
    whole = Cluster(
        workers=8, games=256, game_seconds=1, piece_seconds=1, learn_seconds=36, rollout_pieces=32
    )
    for spread, name in ((0, "equal pieces"), (0.5, "standard deviation half of the mean")):
        row = re.search(rf"^\| {name} \| (.*) \|$", page, re.MULTILINE)
        assert row
        found = [
            forecast(replace(whole, spread=spread, staleness=k), 400).step_seconds for k in range(4)
        ]
        assert [float(cell) for cell in row[1].split(" | ")] == pytest.approx(found, abs=0.051)
