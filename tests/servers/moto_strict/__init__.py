"""Makes moto's server as strict as AWS where moto is more lenient. Every test's server has these rules.

One module for each topic; each names the page of AWS's documentation that states its rule. A rule changes a module of moto
when the server first imports that module, so that a test pays only for the services that it uses:

    @after_import("moto.iam.models")
    def compare_tag_keys_without_case(models):
        ...
"""

import importlib.abc
import importlib.util
import pkgutil
import sys

_rules = {}


def after_import(name):
    """Registers a function that is called with moto's module `name` once that is imported."""

    def register(rule):
        if name in sys.modules:
            rule(sys.modules[name])
        else:
            _rules.setdefault(name, []).append(rule)
        return rule

    return register


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that have rules as everybody else does, and applies their rules when they have run."""

    def find_spec(self, name, path=None, target=None):
        rules = _rules.pop(name, None)
        if rules is None:
            return None
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            for rule in rules:
                rule(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _Finder())
for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
