"""A worker of its own, to be killed: `python -m tests.messaging.crash CITY`. It carries out the outbox, without end.

Its lease and its pauses are short, so that the proof does not take an hour; `PROOF_FORGETS` makes it the control: a
worker that does not ask a peer what became of a message.
"""

import datetime as dt
import os
import sys
import time


def main(city: str) -> None:
    from parvis.site.boot import boot

    boot("worker")
    from django.utils import timezone

    from parvis.kit import outbox
    from parvis.kit.acting import acting_as_system
    from parvis.kit.jobs import in_city
    from parvis.messaging import gateway

    outbox.LEASE, outbox.DOUBT = dt.timedelta(seconds=0.5), dt.timedelta(seconds=0.3)
    outbox.PAUSES[:] = [dt.timedelta(seconds=0.1)] * len(outbox.PAUSES)
    if os.environ.get("PROOF_FORGETS"):
        gateway.HttpGateway.find = lambda self, text: None  # type: ignore[method-assign]
    print("began", flush=True)
    with in_city(city), acting_as_system():
        while True:
            outbox.relay(timezone.now(), most=20)
            time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1])
