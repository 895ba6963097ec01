"""What is still to be told of the jobs that ended, each with the record it ended with."""

from dataclasses import dataclass
from datetime import UTC, datetime

from worker import rows
from worker.lua import Scripts


@dataclass(frozen=True, slots=True)
class Delivery:
    """One end of one job that somebody is to be told of."""

    id: str
    """`<job id>:<revision>`, the same in every attempt."""
    attempts: int
    """Attempts so far, this one among them."""
    created_at: datetime
    job: rows.Document


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Written in the same step as the move that ends a job; kept until they are settled."""

    scripts: Scripts

    def due(self, *, claim_s: float) -> Delivery | None:
        """The one due for longest; nobody else gets it for `claim_s` seconds."""
        found = self.scripts.run("webhook_due", round(claim_s * 1000))
        if not found:
            return None
        name, attempts, at_ms, flat = found
        job = rows.document(name.partition(":")[0], rows.row_of_flat(flat))
        return Delivery(name, attempts, datetime.fromtimestamp(int(at_ms) / 1000, UTC), job)

    def postpone(self, delivery: Delivery, *, delay_s: float) -> None:
        """Due again after `delay_s` seconds."""
        self.scripts.run("webhook_later", delivery.id, round(delay_s * 1000))

    def settle(self, delivery: Delivery) -> None:
        """Done with: delivered, or given up."""
        self.scripts.run("webhook_settled", delivery.id)
