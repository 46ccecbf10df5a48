from fsa.recipes.model_config import model_config, with_whole_path

PART = {"class_path": "fsa.x.Y", "init_args": {}}
CONFIG = {
    "scorer": PART,
    "likelihood": PART,
    "encoder": PART,
    "features": PART,
    "projection": {"num_components": 3},
    "d_belief": 2,
    "num_samples": 1,
    "seed": 7,
}


def test_a_model_keeps_its_parts_and_nothing_of_its_training():
    found = model_config(CONFIG, 5, "fsa.reward.1")
    assert (found["format"], found["d_feature"], found["d_belief"]) == ("fsa.reward.1", 5, 2)
    assert "seed" not in found
    assert found["num_samples"] == 64  # of one in training
    projection = {"class_path": "fsa.features.projection.Projection", "init_args": {"num_components": 3}}
    assert found["projection"] == projection


def test_a_backbone_in_a_folder_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "weights").mkdir()
    monkeypatch.chdir(tmp_path)
    part = {"class_path": "fsa.x.Y", "init_args": {"backbone": "weights", "rank": 2}}
    assert with_whole_path(part)["init_args"] == {"backbone": str(tmp_path / "weights"), "rank": 2}
    named = {"class_path": "fsa.x.Y", "init_args": {"backbone": "minilm"}}
    assert with_whole_path(named) is named
