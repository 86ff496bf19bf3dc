"""The kinds of faults, one file each: ``plugin(env) -> Fault``."""

import importlib
import pkgutil

from simulator.fault import Fault, FaultEnv


def make_faults(env: FaultEnv) -> dict[str, Fault]:
    """Return every kind of this folder by its name, in order.

    A file that is no plug-in stops the start: one that is silently left
    out would be worse than none.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{n}") for n in names]
    faults: list[Fault] = [module.plugin(env) for module in modules]
    return {fault.spec.name: fault for fault in faults}
