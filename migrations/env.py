"""Alembic's entry: runs on the connection that service.revisions hands over."""

from alembic import context

from service.db import Base
from service.revisions import note_reach

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    transactional_ddl=True,  # on SQLite too: service.db sends the BEGIN that the driver would leave out
)
with context.begin_transaction():
    context.run_migrations()
    note_reach(connection)
