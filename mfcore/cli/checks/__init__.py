"""What the command doctor looks at: a check is a function from the circumstances to findings, and stands in ``CHECKS``."""

from __future__ import annotations

from mfcore.cli.checks import machine, outside, place, serving
from mfcore.cli.checks.finding import Check

CHECKS: dict[str, Check] = {
    "Python": machine.python,
    "torch": machine.torch,
    "Streamlit": machine.streamlit,
    "packages": machine.packages,
    "plugins": machine.plugins,
    "processor": machine.processor,
    "memory": machine.memory,
    "data directory": place.directory,
    "locks": place.locks,
    "clock": place.clock,
    "disk": place.disk,
    "runs": place.runs,
    "dataset": place.dataset,
    "settings": serving.settings,
    "log": serving.log_form,
    "port": serving.port,
    "address": outside.health,
    "prefix": outside.prefix,
    "headers": outside.headers,
    "WebSocket": outside.web_socket,
    "other names": outside.other_names,
}
"""In the order in which they are told. The last ones look at a served address, and have nothing to say without one."""
