"""What pyproject.toml cannot say: `configs/` is the package `fsa.presets` of the wheel."""

import sys

from setuptools import find_packages, setup

PACKAGES = find_packages(include=["fsa", "fsa.*"])

if "editable_wheel" in sys.argv:
    # With this an editable install is a plain path, and `import fsa` beside the checkout finds the package.
    # An import hook, which setuptools makes otherwise, comes after the checkout's own folder, an empty
    # namespace of that name. A checkout reads its presets from configs/ itself.
    setup(packages=PACKAGES, package_dir={"": "."})
else:
    setup(
        packages=[*PACKAGES, "fsa.presets"],
        package_dir={"fsa.presets": "configs"},
        package_data={
            "fsa": ["py.typed", "**/*.yaml", "**/*.jinja", "starter/*"],
            "fsa.presets": ["**/*.yaml"],
        },
    )
