"""The trained network as an ONNX graph, its table of pieces in eight bits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save


def write(weights: Mapping[str, Any], labels: Sequence[str], depth: Sequence[int], folder: Path) -> None:
    """``tagger.onnx`` (int32 ``pieces``, words x width, to float32 ``odds``, words x labels) and ``labels.json``."""
    held = {name: value.detach().numpy().astype(np.float32) for name, value in weights.items()}
    table = held.pop("table.weight")
    # A scale a column: some columns are far wider than others.
    scale = np.abs(table).max(axis=0) / 127
    constants = {
        "table": np.round(table / scale).astype(np.int8),
        "begin": (held["begin.weight"] * scale).T.copy(),
        "begin_bias": held["begin.bias"],
        "end": held["end.weight"].T.copy(),
        "end_bias": held["end.bias"],
        "first": np.array([0], dtype=np.int64),
        "second": np.array([1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["table", "pieces"], ["bytes"]),
        helper.make_node("Cast", ["bytes"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats", "second"], ["sums"], keepdims=0),
        helper.make_node("MatMul", ["sums", "begin"], ["begun"]),
        helper.make_node("Add", ["begun", "begin_bias"], ["shifted"]),
        helper.make_node("Relu", ["shifted"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["columns"], perm=[1, 0]),
        helper.make_node("Unsqueeze", ["columns", "first"], ["flow0"]),
    ]
    for at, wide in enumerate(depth):
        constants[f"block{at}"], constants[f"bias{at}"] = held[f"blocks.{at}.weight"], held[f"blocks.{at}.bias"]
        nodes += [
            helper.make_node(
                "Conv", [f"flow{at}", f"block{at}", f"bias{at}"], [f"conv{at}"], dilations=[wide], pads=[wide, wide]
            ),
            helper.make_node("Relu", [f"conv{at}"], [f"relu{at}"]),
            helper.make_node("Add", [f"flow{at}", f"relu{at}"], [f"flow{at + 1}"]),
        ]
    nodes += [
        helper.make_node("Squeeze", [f"flow{len(depth)}", "first"], ["flat"]),
        helper.make_node("Transpose", ["flat"], ["words"], perm=[1, 0]),
        helper.make_node("MatMul", ["words", "end"], ["ended"]),
        helper.make_node("Add", ["ended", "end_bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["odds"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "tagger",
        [helper.make_tensor_value_info("pieces", TensorProto.INT32, ["words", "width"])],
        [helper.make_tensor_value_info("odds", TensorProto.FLOAT, ["words", len(labels)])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    save(model, str(folder / "tagger.onnx"))
    (folder / "labels.json").write_text(json.dumps(list(labels)) + "\n", encoding="utf-8")
