"""The worker itself, once: `python -m tests.kit.worker CITY VERSION` runs every sweep and the tasks of plans.

It says each one's name on standard output, and what came of it.
"""

import json
import sys
import traceback


def main(city: str, version: str) -> None:
    from parvis.site.boot import boot

    boot("worker")
    from parvis.kit.jobs import in_city, sweep_city, sweeps
    from parvis.plans import editing, tasks

    told: dict[str, str] = {}
    for sweep in sweeps.known.values():
        try:
            told[f"sweep {sweep.name}"] = "ran" if sweep_city(sweep, city) else "held"
        except Exception:
            told[f"sweep {sweep.name}"] = traceback.format_exc()
    with in_city(city):
        for name, call in (("measure", editing.measure), ("rederive", tasks.rederive)):
            try:
                found = call(version, 1)
                told[name] = f"{found['households']} households, {found['changed']} changed"
            except Exception:
                told[name] = traceback.format_exc()
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
