"""Render the generated files of src/redcore/ from openapi/redcore.yaml.

openapi-python-client parses and names, the templates in openapi/templates/ write, ruff formats; the same bytes on every
machine. Run with --check to fail when the committed files differ from what the spec gives.
"""

from __future__ import annotations

import subprocess
import sys

from commands import command
from descriptions import common_errors, enumerations, models, operation
from fake_contract import fake_contract
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from public_names import public_names
from python_types import trusted
from spec_file import SPEC, Json, raw_operations, read_spec, sentence

ROOT = SPEC.parents[1]
TEMPLATES = ROOT / "openapi" / "templates"
TARGET = ROOT / "src" / "redcore"
TEMPLATE_OF = {
    "_spec/__init__.py": "spec.py.jinja",
    "_spec/models.py": "models.py.jinja",
    "_spec/operations.py": "operations.py.jinja",
    "_resources/generated.py": "resources.py.jinja",
    "_resources/generated_raw.py": "raw.py.jinja",
    "cli/generated.py": "commands.py.jinja",
}
API = "/v1"
RUFF = ("--isolated", "--no-cache", "--target-version=py311", "--line-length=120", "--stdin-filename")
FIX = ("check", "--fix-only", "--quiet", "--select=I,F401", "--config=lint.isort.known-first-party=['redcore']")
ISORT = ("--config=lint.isort.split-on-trailing-comma=false",)
FORMAT = ("format", "--quiet", "--config=format.skip-magic-trailing-comma=true")


def parse(spec: Json, config: Config) -> GeneratorData:
    data = GeneratorData.from_dict(spec, config=config)
    if isinstance(data, GeneratorError):
        raise SystemExit(f"{data.header}: {data.detail}")
    collections = data.endpoint_collections_by_tag.values()
    if problems := [*data.errors, *(e for c in collections for e in c.parse_errors)]:
        raise SystemExit("\n".join(f"{e.header}: {e.detail}" for e in problems))
    return data


def render() -> dict[str, str]:
    """Render every generated file: path below src/redcore -> content."""
    settings = ConfigFile(post_hooks=[], docstrings_on_attributes=True)
    config = Config.from_sources(settings, MetaType.NONE, SPEC, "utf-8", overwrite=True, output_path=TARGET)
    spec = read_spec()
    data = parse(spec, config)
    raw = raw_operations(spec)
    endpoints = [e for c in data.endpoint_collections_by_tag.values() for e in c.endpoints]
    env = Project(openapi=data, config=config, custom_template_path=TEMPLATES).env
    enums = enumerations(spec, data)
    env.globals.update(
        api=API,
        enums=enums,
        error_codes=spec["components"]["schemas"]["ErrorCode"]["x-redcore-status"],
        models=(made := models(spec, data)),
        listed=sorted({f.listed for m in made for f in m.fields if f.listed}, key=lambda each: each.name),
        names=sorted([*(e.name for e in enums), *(m.name for m in made), "CursorPage", "Page"]),
        commands=[command(spec, e.name, e.method, trusted(e.path), raw[e.name]) for e in endpoints],
        operations=(described := [operation(spec, e, raw[e.name]) for e in endpoints]),
        common=common_errors(described),
        tags=[
            {"name": t["name"], "description": sentence(t["description"])}
            for t in spec["tags"]
            if any(o.tag == t["name"] for o in described)
        ],
    )
    sources = {name: format_source(env.get_template(template).render(), name) for name, template in TEMPLATE_OF.items()}
    packages = {name: format_source(source, name) for name, source in public_names(TARGET).items()}
    return {**sources, **packages, "testing/_fake/contract.json": fake_contract(spec, raw)}


def format_source(source: str, name: str) -> str:
    """Sort imports and format through stdin, so that no half-made file ever lies in the tree."""
    for step in ((*FIX, *ISORT), FORMAT):
        argv = [sys.executable, "-m", "ruff", *step, *RUFF, name, "-"]
        done = subprocess.run(argv, input=source, capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode:
            raise SystemExit(f"ruff on {name}: {done.stderr}\n{source}")
        source = done.stdout
    return source


def main(argv: list[str]) -> int:
    """Write the files, or with --check only name those that are stale or superfluous."""
    rendered = render()
    stale = [
        n for n, text in rendered.items() if not (TARGET / n).exists() or (TARGET / n).read_bytes() != text.encode()
    ]
    in_spec = (f"_spec/{file.name}" for file in (TARGET / "_spec").glob("*.py"))
    strange = sorted(name for name in in_spec if name not in rendered)
    if "--check" in argv:
        if stale or strange:
            print("run `nox -s generate`; stale or not generated:", *stale, *strange)
        return 1 if stale or strange else 0
    for name in strange:
        (TARGET / name).unlink()
    for name in stale:
        (TARGET / name).write_bytes(rendered[name].encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
