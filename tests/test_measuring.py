"""What every layer may call knows none of them."""

import ast
import sys
from pathlib import Path

import measuring

ALLOWED = {"prometheus_client", *sys.stdlib_module_names}


def test_measuring_imports_no_layer():
    for node in ast.walk(ast.parse(Path(measuring.__file__).read_text())):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in names} <= ALLOWED
