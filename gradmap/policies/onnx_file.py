"""One agent's policy as an ONNX file, for a home controller that knows nothing of this project.

Input `observation` [sample, feature] float32 in physical units, features as in the file's metadata
(`gradmap.policies.onnx_facts`); output `action` [sample, 1] in [-1, 1], which the device maps
linearly to power: -1 and +1 are the ends of its range, +1 the most consumption. Normalisation and
clock are inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gradmap.errors import MissingExtraError, ScenarioError
from gradmap.files import written_whole
from gradmap.observations import INDEX, N_FEATURES
from gradmap.policies.card import ModelCard
from gradmap.policies.checkpoint import SIDECAR_FILE, LoadedPolicy
from gradmap.policies.onnx_facts import onnx_facts

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPSET: Final = 17
IR_VERSION: Final = 8
"""Old enough for runtimes of 2022."""
_HOURS_PER_DAY = 24.0


def save_onnx(
    path: Path, *, loaded: LoadedPolicy, agent_id: str, card: ModelCard | None = None
) -> None:
    """Write one agent's network, complete or not at all.

    Args:
        path: The file, in a folder that exists.
        loaded: A verified checkpoint.
        agent_id: Whose network.
        card: Of the policy, for the file's metadata.

    Raises:
        ScenarioError: The checkpoint has no such agent.
        MissingExtraError: The package `onnx` is not installed.
    """
    if agent_id not in loaded.policy.agent_ids:
        raise _unknown(agent_id, known=loaded.policy.agent_ids)
    model = _model(loaded, agent_id=agent_id, card=card)
    with written_whole(path) as file:
        file.write(model.SerializeToString())


def _unknown(agent_id: str, *, known: Sequence[str]) -> ScenarioError:
    """Return the error for an agent without a network, with the ids that are most like it."""
    near = get_close_matches(agent_id, known, n=3)
    like = f"; close to it {'are' if len(near) > 1 else 'is'} {', '.join(map(repr, near))}"
    return ScenarioError(
        f"Agent {agent_id!r}: the policy has no network for it{like if near else ''}. Expected "
        f"one of the {len(known)} ids that `agent_ids` in the policy's {SIDECAR_FILE} lists, such "
        f"as {known[0]!r}."
    )


def _model(loaded: LoadedPolicy, *, agent_id: str, card: ModelCard | None) -> Any:
    """Return the checked ONNX model."""
    onnx = _onnx()
    policy = loaded.policy.for_agents([agent_id])
    graph = _Graph(onnx)
    # Features and clock in double precision: an angle of 25 rad has lost 3e-6 in single.
    graph.node("Cast", ["observation"], "observed", to=onnx.TensorProto.DOUBLE)
    graph.node("Sub", ["observed", graph.double(policy.center[0].numpy())], "centred")
    graph.node("Div", ["centred", graph.double(policy.scale[0].numpy())], "features")
    parts = ["features"]
    if not policy.architecture.senses_voltage:
        seen = [k for k in range(N_FEATURES) if k != INDEX["v_pu"]]
        graph.node("Gather", ["features", graph.index(seen)], "seen", axis=1)
        parts = ["seen"]
    if policy.architecture.clock_harmonics:
        order = np.arange(1, policy.architecture.clock_harmonics + 1)
        graph.node("Gather", ["observed", graph.index([INDEX["hour"]])], "hour", axis=1)
        turn = graph.double(order * 2.0 * math.pi / _HOURS_PER_DAY)
        graph.node("Mul", ["hour", turn], "angle")
        graph.node("Sin", ["angle"], "sine")
        graph.node("Cos", ["angle"], "cosine")
        parts += ["sine", "cosine"]
    graph.node("Concat", parts, "inputs", axis=1)
    graph.node("Cast", ["inputs"], "layer_0", to=onnx.TensorProto.FLOAT)
    layers = list(zip(policy.weights, policy.biases, strict=True))
    for number, (weight, bias) in enumerate(layers):
        values = [graph.single(weight[0].numpy()), graph.single(bias[0, 0].numpy())]
        graph.node("Gemm", [f"layer_{number}", *values], f"sum_{number}")
        after = "action" if number == len(layers) - 1 else f"layer_{number + 1}"
        graph.node("Tanh", [f"sum_{number}"], after)
    return graph.model(onnx_facts(loaded, agent_id=agent_id, card=card))


class _Graph:
    """Collects nodes and constants."""

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def single(self, values: NDArray[Any]) -> str:
        """Keep float32 values and return their name."""
        return self._kept(np.asarray(values, dtype=np.float32))

    def double(self, values: NDArray[Any]) -> str:
        """Keep float64 values and return their name."""
        return self._kept(np.asarray(values, dtype=np.float64))

    def index(self, positions: list[int]) -> str:
        """Keep positions and return their name."""
        return self._kept(np.array(positions, dtype=np.int64))

    def _kept(self, array: NDArray[Any]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: int) -> None:
        """Add an operation."""
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, [output], **attributes))

    def model(self, facts: dict[str, str]) -> Any:
        """Return the whole, checked."""
        helper, number = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "gradmap_policy",
            [helper.make_tensor_value_info("observation", number, ["sample", N_FEATURES])],
            [helper.make_tensor_value_info("action", number, ["sample", 1])],
            self._constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="gradmap"
        )
        model.ir_version = IR_VERSION
        helper.set_model_props(model, facts)
        self._onnx.checker.check_model(model, full_check=True)
        return model


def _onnx() -> Any:
    try:
        import onnx  # noqa: PLC0415  heavy, and for exports only
    except ImportError as exc:
        raise MissingExtraError(
            "Writing ONNX needs the package `onnx`: pip install 'gradmap[export]'"
        ) from exc
    return onnx
