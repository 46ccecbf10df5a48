"""`fsa keys`: who may use a server."""

from __future__ import annotations

from datetime import UTC, datetime

from fsa.errors import ConfigError


def keys(store: str, add: str = "", scopes: str = "read,write,erase", revoke: str = "") -> None:
    """Make a key, shut one out, or list all; a server that has ever had a key answers no request without one.

    Args:
        store: URL of the server's database.
        add: Tenant to make a key for; its people are its own. The key is shown this once.
        scopes: What the key may do: read, write, erase.
        revoke: Id of a key to shut out, its second part: fsa_ID_...
    """
    try:
        from fsa.serve.store.database import migrate, open_database
        from fsa.serve.store.keys import KeyStore
    except ImportError as error:
        raise ConfigError(f"serving needs more packages ({error}): pip install 'fsa[serve]'") from error
    engine = open_database(store)
    migrate(engine)
    kept = KeyStore(engine)
    if add:
        print(kept.add(add, [scope.strip() for scope in scopes.split(",")]))
    elif revoke:
        kept.revoke(revoke)
    else:
        for key in kept.all():
            made, is_revoked = datetime.fromtimestamp(key.created, UTC), key.revoked is not None
            may = ",".join(sorted(key.access.scopes))
            print(f"{key.id}  {key.access.tenant}  {may}  {made:%Y-%m-%d}  {'revoked' * is_revoked}".rstrip())
