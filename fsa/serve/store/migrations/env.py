"""What Alembic runs: the migrations, over the connection that `fsa.serve.store.database.migrate` opened."""

from alembic import context

from fsa.serve.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
