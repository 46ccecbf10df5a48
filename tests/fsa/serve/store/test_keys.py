"""Keys: what they open, and that none is kept."""

import pytest
from sqlalchemy import Engine, text

from fsa.errors import ConfigError
from fsa.serve.store.keys import Access, KeyStore


@pytest.fixture
def keys(engine: Engine) -> KeyStore:
    return KeyStore(engine)


def test_a_key_opens_what_it_was_made_for_until_it_is_revoked(keys):
    assert not keys.any()
    key = keys.add("acme", ["write", "read"])
    assert keys.access(key) == Access("acme", frozenset({"read", "write"}))
    assert keys.access(key + "x") is None
    keys.revoke(key.split("_")[1])
    assert keys.access(key) is None
    assert keys.any()  # revoking the last key opens nothing


def test_the_database_holds_no_key(keys, engine):
    key = keys.add("acme", ["read"])
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM api_key")).all()
    secret = key.split("_", 2)[2]
    assert not any(secret in str(value) for value in row)
    assert [stored.id for stored in keys.all()] == [key.split("_")[1]]


@pytest.mark.parametrize(
    ("tenant", "scopes", "said"),
    [
        ("a b", ["read"], "tenant is 'a b'"),
        ("", ["read"], "tenant is ''"),
        ("acme", [], "one or more"),
        ("acme", ["read", "all"], "read, write, erase"),
    ],
)
def test_what_no_key_can_be_made_for(keys, tenant, scopes, said):
    with pytest.raises(ConfigError, match=said):
        keys.add(tenant, scopes)


def test_revoking_what_is_not_there_says_so(keys):
    with pytest.raises(ConfigError, match="no key 'abc'"):
        keys.revoke("abc")
