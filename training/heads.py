"""Label heads: global average pooling and one linear layer, so that heatmaps are exact."""

from torch import Tensor, nn


class LabelHead(nn.Module):
    """Logits of one output from the last feature map.

    The mean over the cells of `class_activation_map` plus the bias is the logit (Zhou et al.,
    *Learning Deep Features for Discriminative Localization*, CVPR 2016, eq. 2).
    """

    def __init__(self, channels: int, labels: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(channels, labels)
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Logits B,K of feature maps B,C,h,w."""
        pooled = features.mean(dim=(2, 3))  # B,C
        logits: Tensor = self.linear(self.dropout(pooled))
        return logits

    def class_activation_map(self, features: Tensor) -> Tensor:
        """Evidence B,K,h,w of every cell for every label."""
        return nn.functional.conv2d(features, self.linear.weight[:, :, None, None])
