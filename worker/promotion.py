"""Whether an alias moves to a new version: always, or only where a figure got better."""

from dataclasses import dataclass

from models.errors import ModelError
from models.manifest import Evaluation, Manifest, Precision
from models.registry import Registry
from training.config.pipeline import BetterOn, Promotion


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the alias points to the version, and why."""

    promoted: bool
    reason: str


def promote(registry: Registry, promotion: Promotion | None, *, name: str, version: str) -> Verdict:
    """Move the alias to the version where the gate lets it pass. May be repeated without harm.

    It is judged against the very version that it replaces: where another promotion was first, it
    is judged again. Raises ModelError where the version itself is gone or broken.
    """
    if promotion is None:
        return Verdict(False, "the pipeline asks for no promotion")
    candidate = registry.open(f"{name}@{version}").manifest
    alias = promotion.alias
    while True:
        current = registry.aliases(name).get(alias)
        if current == version:
            return Verdict(True, f"{alias} points to version {version}")
        verdict = _verdict(registry, promotion, candidate, current)
        if not verdict.promoted or registry.move_alias(
            name, alias, version=version, expected=current
        ):
            return verdict


def better(gate: BetterOn, *, candidate: Manifest, current: Manifest) -> Verdict:
    """Whether the figure rose on every data set on which both were measured by one protocol."""
    new, old = _figures(gate, candidate), _figures(gate, current)
    figure = f"{gate.metric} of {gate.output}"
    for manifest, figures in ((candidate, new), (current, old)):
        if not figures:
            return Verdict(False, f"version {manifest.version} has no {figure} to compare")
    shared = sorted(old.keys() & new.keys())
    if not shared:
        return Verdict(False, _incomparable(figure, (candidate, new), (current, old)))
    gains = [_Gain(new[name], old[name], gate.higher_is_better) for name in shared]
    least = min(gains, key=lambda gain: gain.by)
    passed = least.by > 0 and least.by >= gate.by
    demand = f"better by at least {gate.by:g}" if gate.by else "better"
    return Verdict(
        passed,
        f"{figure} is {least.new:.4g}, in version {current.version} {least.old:.4g}: "
        f"{'' if passed else 'not '}{demand}",
    )


@dataclass(frozen=True, slots=True)
class _Gain:
    new: float
    old: float
    higher_is_better: bool

    @property
    def by(self) -> float:
        return self.new - self.old if self.higher_is_better else self.old - self.new


def _incomparable(figure: str, *measured: tuple[Manifest, dict[str, float]]) -> str:
    protocols = "; ".join(
        f"version {manifest.version} by: {' | '.join(sorted(figures))}"
        for manifest, figures in measured
    )
    return f"{figure} was never measured by the same protocol; {protocols}"


def _verdict(
    registry: Registry, promotion: Promotion, candidate: Manifest, current: str | None
) -> Verdict:
    if current is None:
        return Verdict(True, f"{promotion.alias} pointed to no version before")
    if promotion.only_if_better is None:
        return Verdict(True, f"{promotion.alias} moved from version {current}, without a condition")
    try:
        present = registry.open(f"{candidate.name}@{current}").manifest
    except ModelError as error:
        return Verdict(False, f"version {current} cannot be compared: {error}")
    return better(promotion.only_if_better, candidate=candidate, current=present)


def _figures(gate: BetterOn, manifest: Manifest) -> dict[str, float]:
    """The figure by protocol, of the float32 graph."""
    return {
        found.protocol: found.metrics[gate.metric]
        for found in manifest.evaluations
        if _counts(gate, found)
    }


def _counts(gate: BetterOn, found: Evaluation) -> bool:
    return (
        found.output is gate.output
        and found.precision is Precision.FP32
        and gate.metric in found.metrics
    )
