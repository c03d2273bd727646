"""Fault presets as `docs/qa.md` tells them."""

from civitai_mock.domain.fault_presets import FaultPreset, PresetParam, fault_presets

AS_EVER = "as ever"


def presets_table() -> str:
    rows = [
        f"| `{preset.name}` | {preset.hook} | {_params(preset)} | {preset.v1_docs or AS_EVER} | {_v2(preset)} |"
        for preset in fault_presets().values()
    ]
    head = ["| preset | goes wrong | params | version 1 | version 2 |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _params(preset: FaultPreset) -> str:
    return "<br>".join(f"`{name}`: {_param(param)}" for name, param in preset.params.items())


def _param(param: PresetParam) -> str:
    default = str(param.default).lower() if isinstance(param.default, bool) else str(param.default)
    unit = f", in {param.unit}" if param.unit else ""
    return f"{param.docs} ({default}; {param.expected}{unit})"


def _v2(preset: FaultPreset) -> str:
    if preset.v2_docs == preset.v1_docs:
        return "the same"
    return preset.v2_docs or AS_EVER
