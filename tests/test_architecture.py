"""Data flows one way: a room imports only from rooms to its left, and the light paths stay light."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "autotl"
ROOMS = [
    "errors",
    "task",
    "data",
    "backbones",
    "features",
    "adaptation",
    "scoring",
    "plan",
    "trial",
    "run",
    "search",
    "leaderboard",
    "production",
    "report",
    "api",
    "cli",
]


def names_imported(nodes: Iterable[ast.AST]) -> set[str]:
    """Dotted names below autotl that a file's nodes import."""
    names = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "autotl":
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.split(".")[0] == "autotl"}
    return names


def imports_between_rooms(package: Path) -> list[tuple[str, str, str]]:
    """(room, imported room, file) for every import of one room by another."""
    found = set()
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        if parts[0] in ("__init__", "__main__"):
            continue
        for name in names_imported(ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
            room = name.split(".")[1]
            if room in ROOMS and room != parts[0]:
                found.add((parts[0], room, str(file.relative_to(package))))
    return sorted(found)


def imports_within_room(package: Path, room: str) -> dict[str, set[str]]:
    """A room's modules, each with those of the same room that it imports, inside functions too.

    What only a type checker reads is left out: it is never imported.
    """
    files = {_name_of(file, package): file for file in sorted(package.rglob("*.py"))}
    files = {name: file for name, file in files.items() if name.split(".")[1:2] == [room]}
    found = {}
    for name, file in files.items():
        nodes = _nodes_that_run(ast.parse(file.read_text(encoding="utf-8")))
        imported = {each if each in files else each.rpartition(".")[0] for each in names_imported(nodes)}
        found[name] = imported & set(files) - {name}
    return found


def _name_of(file: Path, package: Path) -> str:
    parts = file.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _nodes_that_run(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield from _nodes_that_run(child)


@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_import_each_other_one_way(room):
    try:
        TopologicalSorter(imports_within_room(PACKAGE, room)).prepare()
    except CycleError as error:
        pytest.fail(f"import each other in a circle: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize(("room", "imported", "file"), imports_between_rooms(PACKAGE))
def test_a_room_imports_only_from_earlier_rooms(room, imported, file):
    assert ROOMS.index(imported) < ROOMS.index(room), f"{file} reaches to the right"


def test_every_module_belongs_to_a_room():
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {"__init__", "__main__"} == set(ROOMS)


HEAVY = ("tensorflow", "keras", "torch", "jax", "ray", "optuna", "sklearn", "scipy", "pandas", "transformers", "altair")


@pytest.mark.parametrize(
    "statement",
    [
        "import autotl",
        "import autotl.cli.app",
        "import autotl.api.opening, autotl.api.verbs",
        "from autotl.cli.app import run; run(['--help'])",
    ],
)
def test_light_paths_import_nothing_heavy(statement):
    script = f"{statement}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command", ["validate task.yaml", "leaderboard run", "leaderboard .", "report run", "compare run/0 run/0", "models"]
)
def test_commands_that_only_look_never_reach_tensorflow(command, tmp_path):
    script = f"""
import json, sys
from pathlib import Path
from PIL import Image
from autotl.cli.app import run
from autotl.run import RunFolder, Study
for name in ("cat", "dog"):
    Path("photos", name).mkdir(parents=True)
    for number in range(12):
        Image.new("RGB", (16, 16), (number, 100, 100 if name == "cat" else 0)).save(f"photos/{{name}}/{{number}}.png")
Path("task.yaml").write_text("data: {{target: {{train: photos}}}}")
folder = RunFolder.create(Path("run"))
Study(folder.path / "study.db").close()
content = {{"task": "pets", "metric": "accuracy", "higher_is_better": True, "regime": "validation", "trials": []}}
plan = {{"backbone": "small_cnn", "adaptation": {{"method": "none"}}}}
row = {{"trial": 0, "status": "complete", "winner": False, "plan": plan, "score": {{"value": 0.5}}, "scores": {{}}}}
content["trials"].append(row | {{"tie_group": None, "baseline": None, "baseline_of": None}})
folder.write("leaderboard.json", json.dumps(content))
assert run("{command}".split()) == 0
print([name for name in ("tensorflow", "keras", "torch", "jax", "ray") if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
