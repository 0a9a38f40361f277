"""The labs of the fault tests: the function on AWS in this process, the main job on a simulated Reddit."""

from ..faults.scripted.conftest import lab, no_pauses, scripted, sdk

__all__ = ["lab", "no_pauses", "scripted", "sdk"]
