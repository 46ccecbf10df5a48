from fsa.runs.licences import UNKNOWN, fetch_readme, hub_id, is_local, licence


def test_backbones_by_name_have_their_hub_ids_and_licences():
    assert hub_id("minilm") == "sentence-transformers/all-MiniLM-L6-v2"
    assert licence("minilm") == "apache-2.0"
    fetch_readme("minilm")  # nothing to fetch


def test_a_folder_is_local_and_a_hub_id_is_not(tmp_path):
    assert is_local(str(tmp_path))
    assert is_local("./made/here")
    assert hub_id(str(tmp_path)) is None
    assert (is_local("owner/name"), hub_id("owner/name")) == (False, "owner/name")


def test_the_licence_of_a_folder_is_what_its_card_says(tmp_path):
    assert licence(str(tmp_path)) == UNKNOWN
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\nWords.\n")
    assert licence(str(tmp_path)) == "mit"
    (tmp_path / "README.md").write_text("---\nlicense: other\nlicense_name: ours\n---\n")
    assert licence(str(tmp_path)) == "ours"
    (tmp_path / "README.md").write_text("---\nlicense: [1\n---\n")
    assert licence(str(tmp_path)) == UNKNOWN
