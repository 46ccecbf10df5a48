from sqlalchemy import inspect

from fsa.serve.store.database import migrate, open_database


def test_tables_come_and_go(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'people.db'}")
    migrate(engine)
    tables = set(inspect(engine).get_table_names())
    assert {"person", "choice"} <= tables
    assert inspect(engine).get_pk_constraint("person")["constrained_columns"] == ["tenant", "id"]
    once = inspect(engine).get_unique_constraints("choice")
    assert ["tenant", "person", "key", "place"] in [found["column_names"] for found in once]
    migrate(engine, "base")
    assert not {"person", "choice"} & set(inspect(engine).get_table_names())
    engine.dispose()
