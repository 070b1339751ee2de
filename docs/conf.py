"""How the documentation is built: `nox -s docs`.

What draws diagrams is fetched from npm; readers load from us only.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from redcore import AsyncPages, Model, Pages, __version__
from redcore._resources import generated

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "RedCore"
author = "The RedCore maintainers"
project_copyright = "The RedCore maintainers"
version = release = __version__

extensions = [
    "accessible_pages",
    "client_names",
    "llms_txt",
    "mermaid_svg",
    "myst_parser",
    "openapi_pages",
    "server_pages",
    "sphinx.ext.autodoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx.ext.napoleon",
    "sphinxext.opengraph",
    "versions",
]
exclude_patterns = ["_build"]
html_static_path = ["_static"]
templates_path = ["_templates"]
root_doc = "index"
html_theme = "furo"
html_css_files = ["versions.css"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "versions.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_title = f"RedCore {release}"
html_search_scorer = str(HERE / "_static" / "search_weights.js")
html_copy_source = False
# One page without text at its anchor would end the list of results.
html_show_search_summary = False

openapi_spec = str(HERE.parent / "openapi" / "redcore.yaml")

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "literal"  # docstrings write code in single backticks
add_module_names = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_numpy_docstring = False
# An attribute that autodoc finds by itself is not described twice.
napoleon_use_ivar = True

html_baseurl = "https://docs.blueround.com/redcore/"
# The cards' font has one weight.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
ogp_site_url = html_baseurl
ogp_site_name = "RedCore"
ogp_social_cards = {"line_color": "#c8102e", "site_url": "docs.blueround.com/redcore"}


# What is copied can be pasted: no prompts, no output.
copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_line_continuation_character = "\\"

# Type variables, and types of packages whose inventories are not fetched.
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(abc|cattrs|collections|datetime|httpx|msgspec|os|pathlib|pytest|types)\..*",
    ),
    (r"py:.*", r"(redcore\..*\.)?(T(_co)?|HooksT|ModelT)"),
    (r"py:.*", r"(redcore\..*\.)?(Async)?(Raw|Readable|Writable)"),
]


def without_signature(
    _app: Sphinx, what: str, _name: str, obj: Any, *_: Any
) -> tuple[str, None] | None:
    """Hide the constructors of what the SDK makes and users do not."""
    is_ours = what == "class" and (
        issubclass(obj, Model | Pages | AsyncPages)
        or obj.__module__ == generated.__name__
    )
    return ("", None) if is_ours else None


def prepared(
    _app: Sphinx, what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Leave out what docs/errors.md shows, keep colons of types, mark examples."""
    if name == "redcore.exceptions":
        lines.clear()
    elif what in {"attribute", "property"} and lines:
        lines[:1] = lines[0].replace(": ", ":\n", 1).split("\n")
    elif "Example:" in lines:  # code, whose quotation marks stay straight
        place = lines.index("Example:")
        lines[place : place + 1] = ["Example::", ""]


def setup(app: Sphinx) -> None:
    """Register the hooks, the second before Napoleon's."""
    app.connect("autodoc-process-signature", without_signature)
    app.connect("autodoc-process-docstring", prepared, priority=400)
