"""What is measured: each workload runs its rounds and yields rows of the table."""

from __future__ import annotations

from tools.benchmark.run import Workload
from tools.benchmark.workloads import counts, pages, placing, webhook

WORKLOADS: dict[str, Workload] = {
    "webhook": webhook.run,
    "statements": counts.run,
    "pages": pages.run_pages,
    "catalogue": pages.run_catalogue,
    "placing": placing.run,
}
