"""The model card, written from the manifest alone, so that it cannot say something else."""

from collections.abc import Iterator

from models.labels import LabelKind
from models.manifest import DatasetLineage, Evaluation, Lineage, Manifest, Output, Precision
from models.preprocessing import Preprocessing, Resize
from training.export.figures import behind, bins_table, table

_SAYS = {
    LabelKind.SINGLE: "the one emotion that fits best",
    LabelKind.MULTI: "every emotion that holds, each on its own",
    LabelKind.DISTRIBUTION: "which share of viewers feels what",
}

_UNSAID = {
    LabelKind.SINGLE: "A photo has one right answer here; other viewers of it chose others.",
    LabelKind.MULTI: "A label holds or does not; how strongly it is felt is not asked.",
    LabelKind.DISTRIBUTION: "Few raters stand behind a share: their chance is in every figure.",
}
_UNSAID_OF_ALL = (
    "They are of photos like those it was trained on. How well it does on others, and for other "
    "viewers and cultures, was not measured.",
    "They are means: see the rarest labels in the tables by label.",
    "Temperatures and thresholds were fitted on validation images of the same data sets; elsewhere "
    "probabilities may be too sure.",
    "They come from one training run; what another seed or split would give is not in them.",
    "A photo is judged once, as the pre-processing makes it.",
)

_PROTOCOL = (
    "How figures are made and compared: `docs/protocol.md` of Sentiscope; what else is known of "
    "its models: `docs/results.md`."
)

_SNIPPET = """```python
import numpy as np, onnxruntime
from PIL import Image

image = Image.open("photo.jpg").convert("RGB")
{resize}
pixels = (np.asarray(image, np.float32) / 255 - {mean}) / {std}
batch = pixels.transpose(2, 0, 1)[None].astype(np.float32)  # 1,3,{side},{side}
session = onnxruntime.InferenceSession("{file}")
scores = session.run(["{output}"], {{"image": batch}})[0][0]
print(dict(zip({labels}, scores.round(3).tolist())))
```"""


def model_card(manifest: Manifest, notes: str) -> str:
    """Markdown: what the model says, how to use it, how good it is and is not, its origin."""
    parts = [
        f"# {manifest.name}, version {manifest.version}",
        notes.strip(),
        "## What it says",
        "\n".join(_describe(output) for output in manifest.outputs),
        "## Use it without Sentiscope",
        _snippet(manifest),
        "## How good it is",
        "\n\n".join([*_tables(manifest), _PROTOCOL]) if manifest.evaluations else "Not evaluated.",
        "## What the numbers do not say",
        "\n".join(_unsaid(manifest)),
        "## Checks before publication",
        "\n".join(_gates(manifest)) or "None.",
        "## Where it comes from",
        _lineage(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _describe(output: Output) -> str:
    lines = [
        f"- **{output.kind}**: {_SAYS[output.kind]}. Labels in the order of the scores: "
        f"{', '.join(output.labels.names)}."
    ]
    if output.thresholds is None:
        lines.append(f"  Calibrated with temperature {output.temperature:.3f}.")
    else:
        pairs = zip(output.labels.names, output.thresholds, strict=True)
        lines.append(f"  Selected from: {', '.join(f'{n} {t:.3f}' for n, t in pairs)}.")
    lines.append(f"  `{output.map_name}` is its heatmap: its mean plus the bias is the logit.")
    return "\n".join(lines)


def _snippet(manifest: Manifest) -> str:
    output, spec = manifest.outputs[0], manifest.preprocessing
    graph = manifest.graph(Precision.FP32)
    assert graph is not None
    return _SNIPPET.format(
        resize=_resize(spec),
        mean=list(spec.mean),
        std=list(spec.std),
        side=spec.input_side,
        file=graph.file,
        output=output.scores_name,
        labels=list(output.labels.names),
    )


def _resize(spec: Preprocessing) -> str:
    """Lines that bring `image` to the model's size."""
    size, side, by = spec.size, spec.input_side, f"Image.Resampling.{spec.interpolation.upper()}"
    lines = {
        Resize.SQUASH: [f"image = image.resize(({size}, {size}), {by})"],
        Resize.SHORTER_SIDE: [
            f"scale = {size} / min(image.size)",
            f"whole = [max({size}, round(length * scale)) for length in image.size]",
            f"image = image.resize(whole, {by})",
        ],
    }[spec.resize]
    if spec.crop is not None:
        lines += [
            f"left, top = (image.width - {side}) // 2, (image.height - {side}) // 2",
            f"image = image.crop((left, top, left + {side}, top + {side}))",
        ]
    return "\n".join(lines)


def _tables(manifest: Manifest) -> Iterator[str]:
    for output in manifest.outputs:
        rows = [e for e in manifest.evaluations if e.output is output.kind]
        for dataset, split in dict.fromkeys((e.dataset, e.split) for e in rows):
            chosen = [e for e in rows if (e.dataset, e.split) == (dataset, split)]
            yield _table(output, chosen)
            yield from _behind(output, chosen[0])


def _table(output: Output, rows: list[Evaluation]) -> str:
    first = rows[0]
    told = f"**{output.kind}** on {first.images} images. Protocol: {first.protocol}."
    body = [[name, *(f"{row.metrics[name]:.4f}" for row in rows)] for name in first.metrics]
    return f"{told}\n\n{table(['metric', *(row.precision for row in rows)], body)}"


def _behind(output: Output, one: Evaluation) -> Iterator[str]:
    """By label, and how well probabilities are calibrated, where the evaluation has it."""
    if one.detail is None:
        return
    yield f"By label ({one.precision}):"
    yield from behind(output.kind, output.labels, one.detail)
    yield bins_table(one.detail.calibration.bins)


def _unsaid(manifest: Manifest) -> Iterator[str]:
    yield from (f"- {told}" for told in _UNSAID_OF_ALL)
    yield from (f"- **{output.kind}**: {_UNSAID[output.kind]}" for output in manifest.outputs)


def _gates(manifest: Manifest) -> Iterator[str]:
    for gate in manifest.gates:
        verdict = "passed" if gate.passed else "failed"
        figures = ", ".join(f"{name} {value:.3g}" for name, value in gate.measured.items())
        limits = ", ".join(f"{name} {value:g}" for name, value in gate.limits.items())
        yield f"- `{gate.name}` {verdict}: {figures} (limits: {limits})."
    if manifest.gates and manifest.graph(Precision.INT8) is None:
        yield "- This bundle ships float32 alone."


def _lineage(manifest: Manifest) -> str:
    source = manifest.lineage
    lines = [
        f"- Backbone {source.backbone}, from {', '.join(source.parents) or 'nothing'}.",
        f"- Code {source.code_version}; weights sha256 {source.weights_sha256[:12]}; "
        f"made {manifest.created_at:%Y-%m-%d}.",
        *(f"- Data: {_dataset(dataset)}" for dataset in source.datasets),
        *(f"- Pre-training data: {told}" for told in _ancestral(source)),
        "- The full training configuration is in `manifest.json`.",
    ]
    return "\n".join(lines)


def _ancestral(source: Lineage) -> list[str]:
    """What the runs before it were trained on, each data set once."""
    found = (_dataset(dataset) for run in source.ancestors for dataset in run.datasets)
    return list(dict.fromkeys(found))


def _dataset(dataset: DatasetLineage) -> str:
    return f"{dataset.name}, digest {dataset.digest[:12]}. Terms: {dataset.terms or 'not stated'}"
