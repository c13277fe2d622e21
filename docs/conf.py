"""How the documentation is built: `make docs`."""

import sys
from pathlib import Path

import carboy

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Carboy"
author = "The Carboy authors"
project_copyright = "The Carboy authors"
version = release = carboy.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "settings_table"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
add_module_names = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"Carboy {version}"
html_show_sphinx = False
pygments_style = "friendly"
