"""The house's own rules: floors, sizes, names, documented settings, the commands."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from guichet.settings import Settings, environment_name

ROOT = Path(__file__).parents[1]
_LONGEST_FILE = 500
_LONGEST_FUNCTION = 60
_NOT_OURS = {"build", "dist", "__pycache__", "node_modules"}

# In two halves, so that this file does not name them either.
_DOWNLOAD_HOSTS = [
    "pypi." + "org",
    "pythonhosted." + "org",
    "npmjs." + "org",
    "debian." + "org",
    "astral." + "sh",
    "unpkg." + "com",
    "jsdelivr." + "net",
    "cdnjs." + "cloudflare.com",
    "fonts.googleapis." + "com",
    "gstatic." + "com",
    "githubusercontent." + "com",
]


def _files(directory: Path = ROOT) -> Iterator[Path]:
    """Every file of the project, but none that a tool made."""
    for path in sorted(directory.iterdir()):
        if path.name in _NOT_OURS or (path.name.startswith(".") and path.name != ".ci"):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


_ALL = list(_files())
_CODE = [path for path in _ALL if path.suffix == ".py"]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_each_floor_knows_only_those_below() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_python_keeps_the_name_platform() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_no_file_is_too_long() -> None:
    checked = [path for path in _ALL if path.suffix in {".py", ".css", ".js", ".html", ".toml"}]
    lengths = {_name(path): len(path.read_text().splitlines()) for path in checked}
    assert {name: length for name, length in lengths.items() if length > _LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in _CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _lines(node) - sum(_lines(text) - 1 for text in _texts(node)) > _LONGEST_FUNCTION
    ]
    assert long == []


def _lines(node: ast.stmt | ast.expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _texts(function: ast.AST) -> list[ast.Constant]:
    """A docstring, or SQL: it counts as one line, however long it is."""
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_every_module_says_what_it_is() -> None:
    assert [
        _name(path) for path in _CODE if not ast.get_docstring(ast.parse(path.read_text()))
    ] == []


def test_no_file_names_a_download_host() -> None:
    pattern = re.compile("|".join(re.escape(host) for host in _DOWNLOAD_HOSTS))
    naming = [_name(path) for path in _ALL if pattern.search(path.read_text(errors="replace"))]
    assert naming == []


def test_nothing_is_left_to_do_in_comments() -> None:
    pattern = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
    assert [
        _name(path) for path in _CODE if path != Path(__file__) and pattern.search(path.read_text())
    ] == []


@pytest.mark.parametrize("field", [field.name for field in msgspec.structs.fields(Settings)])
def test_every_setting_is_documented(field: str) -> None:
    page = (ROOT / "docs" / "developer" / "settings.md").read_text()
    assert f"| `{environment_name(field)}` |" in page


def test_no_setting_is_documented_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "developer" / "settings.md").read_text()
    known = {environment_name(field.name) for field in msgspec.structs.fields(Settings)}
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    assert documented - known == {"PORT", "GUICHET_HOME"}


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench", "soak", "help"])
def test_the_commands_are_there_and_explained(target: str) -> None:
    assert re.search(rf"^{target}:.*## \S", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", ["", "-dev", "-install"])
def test_everything_installed_is_pinned_by_its_hash(name: str) -> None:
    text = (ROOT / f"requirements{name}.txt").read_text().replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert requirements
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


def test_continuous_integration_runs_what_people_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "\nmake lint\n" in script
    assert "\nmake test " in script
