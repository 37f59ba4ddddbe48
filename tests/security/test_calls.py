"""What the package never calls: whatever runs code that lies in a file, and whatever unpacks where the file says."""

import ast
from pathlib import Path

import pytest

import autotl

PACKAGE = Path(autotl.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FORBIDDEN_IMPORTS = {"joblib", "dill", "cloudpickle", "marshal", "shelve", "tarfile", "imp"}
FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.loads", "torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"),
    *("os.system", "os.popen", "shutil.unpack_archive", "tempfile.mktemp"),
}
FORBIDDEN_METHODS = {"extractall", "extract", "enable_unsafe_deserialization", "KerasFileEditor"}
FORBIDDEN_ARGUMENTS = {"allow_pickle": True, "trust_remote_code": True, "safe_mode": False, "shell": True}
ALLOWED = {
    "backbones/torch_checkpoint.py": {"pickle.Unpickler"},  # four harmless names, each replaced by a stand-in of ours
    "report/vendor/fetch.py": {"tarfile"},  # for maintainers: reads three members into memory and checks their digests
}


def dotted(node: ast.expr) -> str:
    """`os.system` from its syntax tree; empty for what is no plain name."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def offences(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_IMPORTS]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if (node.module or "").split(".")[0] in FORBIDDEN_IMPORTS | {"pickle"} else []
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr in FORBIDDEN_METHODS
            found += [ast.unparse(node.func)] if name in FORBIDDEN_CALLS or is_method else []
            for argument in node.keywords:
                value = argument.value.value if isinstance(argument.value, ast.Constant) else None
                if argument.arg in FORBIDDEN_ARGUMENTS and value is FORBIDDEN_ARGUMENTS[argument.arg]:
                    found.append(f"{argument.arg}={value}")
        elif isinstance(node, ast.Attribute) and dotted(node) == "pickle.Unpickler":
            found.append("pickle.Unpickler")
    return found


def test_no_module_runs_code_from_a_file():
    assert len(MODULES) > 300
    found = {path.relative_to(PACKAGE).as_posix(): offences(path.read_text(encoding="utf-8")) for path in MODULES}
    assert {name: set(calls) for name, calls in found.items() if calls} == ALLOWED


@pytest.mark.parametrize(
    "line",
    [
        "import joblib",
        "from pickle import load",
        "pickle.load(file)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "archive.extractall(folder)",
        "keras.models.load_model(path, safe_mode=False)",
        "keras.config.enable_unsafe_deserialization()",
        "AutoModel.from_pretrained(name, trust_remote_code=True)",
        "subprocess.run(line, shell=True)",
        "class Mine(pickle.Unpickler): pass",
        "eval(text)",
    ],
)
def test_the_search_would_find_them(line):
    assert offences(line)
