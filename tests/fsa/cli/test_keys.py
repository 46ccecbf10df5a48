from fsa.cli.keys import keys


def test_a_key_is_shown_once_listed_and_revoked(tmp_path, capsys):
    store = f"sqlite:///{tmp_path / 'people.db'}"
    keys(store, add="acme", scopes="read, write")
    key = capsys.readouterr().out.strip()
    assert key.startswith("fsa_")
    keys(store)
    listed = capsys.readouterr().out
    assert key not in listed
    key_id = key.split("_")[1]
    assert listed.split()[:3] == [key_id, "acme", "read,write"]
    assert "revoked" not in listed
    keys(store, revoke=key_id)
    keys(store)
    assert capsys.readouterr().out.rstrip().endswith("revoked")
