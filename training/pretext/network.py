"""A backbone with the heads of a step's pretext tasks."""

from collections.abc import Mapping

from torch import Tensor, nn

from training.backbone import Backbone
from training.pretext.task import Examples, PretextHead


class PretrainNetwork(nn.Module):
    """One backbone, one head a task."""

    def __init__(self, backbone: Backbone, heads: Mapping[str, PretextHead]) -> None:
        super().__init__()
        self.backbone = backbone
        self.heads = nn.ModuleDict(heads)  # type: ignore[arg-type]  # a protocol of modules

    def head(self, task: str) -> PretextHead:
        """The head of `task`."""
        head: PretextHead = self.heads[task]  # type: ignore[assignment]
        return head

    def losses(self, batch: Mapping[str, Examples]) -> dict[str, Tensor]:
        """The named terms of every task's loss, as `task.term`."""
        return {
            f"{task}.{name}": term
            for task, examples in batch.items()
            for name, term in self.head(task).losses(self.backbone, examples).items()
        }
