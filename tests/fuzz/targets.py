"""All that is attacked."""

from tests.fuzz.choices_files import ChoicesFiles
from tests.fuzz.command_lines import CommandLines
from tests.fuzz.model_servers import ModelServers
from tests.fuzz.people_files import PeopleFiles
from tests.fuzz.requests import Requests, Schema
from tests.fuzz.run_folders import RunFolders
from tests.fuzz.trying import Target

TARGETS: list[Target] = [
    ChoicesFiles(),
    RunFolders(),
    CommandLines(),
    PeopleFiles(),
    ModelServers(),
    Requests(),
    Schema(),
]
