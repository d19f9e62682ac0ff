"""The rules are a pure core."""

import ast
import sys
from pathlib import Path

import pytest

import rules

ALLOWED = {"rules", *sys.stdlib_module_names}


@pytest.mark.parametrize("path", sorted(Path(rules.__path__[0]).rglob("*.py")), ids=lambda path: path.stem)
def test_rules_import_only_themselves_and_the_standard_library(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        names += [f"{'rules' if node.level else node.module}"] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in names} <= ALLOWED
