from eval.suite.cells import CELL, CONFLICTS, RUN, SavedPredictions
from fsa.outputs.reward_model import RewardModel
from fsa.runs.folder import read_json
from tests.factories.suite import folder_of


def test_what_a_killed_cell_left_is_not_taken_for_a_cell(done, plan, tmp_path):
    (cell,) = plan.cells("*/pooled/0")
    unfinished = cell.start(tmp_path)
    (unfinished / CELL).write_text("{}")
    assert not cell.is_done(tmp_path)
    cell.finish(tmp_path, cell.start(tmp_path))  # clears what was left
    assert list(cell.folder(tmp_path).parent.iterdir()) == [cell.folder(tmp_path)]


def test_a_cell_says_what_its_page_needs_and_keeps_a_run_that_opens(done, plan):
    folder = folder_of(plan, "*/dedicated/0", done[0])
    about = read_json(folder / CELL)
    assert about["dedicated"]
    assert about["groups"] == ["larger", "central"]
    assert about["parameters"] > 10
    assert about["seconds"]["train"] > 0
    assert about["config"]["seed"] == 0
    assert sorted(path.name for path in (folder / RUN).iterdir()) == ["central", "larger"]
    assert RewardModel.from_pretrained(folder / RUN / "larger").config["d_belief"] == 16


def test_accuracy_by_the_share_of_conflicting_choices_is_there_too(done, plan):
    asked = SavedPredictions.open(folder_of(plan, "*/NP-BTL/0", done[0]) / CONFLICTS)
    assert sorted({round(float(share), 2) for share in asked.labels["share"]}) == [0, 0.25, 0.5, 0.75, 1]
    assert set(asked.labels["size"].tolist()) == {4}
