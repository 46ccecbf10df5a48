"""What pyproject.toml cannot say: `configs/` is the package `fsa.presets` of the wheel."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["fsa", "fsa.*"]), "fsa.presets"],
    package_dir={"fsa.presets": "configs"},
    package_data={"fsa": ["py.typed", "**/*.yaml", "**/*.jinja"], "fsa.presets": ["**/*.yaml"]},
)
