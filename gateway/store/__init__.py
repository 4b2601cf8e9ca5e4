"""PostgreSQL: the pool, the migrations, and the embedded server of demo and tests."""
