"""What is measured: each workload runs its rounds and yields rows of the table."""

from __future__ import annotations

from tools.benchmark.run import Workload
from tools.benchmark.workloads import counts, djstripe, growth, pages, placing, sandbox, startup, webhook, weight

WORKLOADS: dict[str, Workload] = {
    "webhook": webhook.run,
    "statements": counts.run,
    "pages": pages.run_pages,
    "catalogue": pages.run_catalogue,
    "placing": placing.run,
    "weight": weight.run,
    "growth": growth.run,
    "startup": startup.run,
    "sandbox": sandbox.run,
}
# Needs packages of its own: with --with-djstripe.
OPTIONAL: dict[str, Workload] = {"djstripe": djstripe.run}
