"""How the journal's schema came about, step by step (Alembic)."""
