"""PostgreSQL and Valkey inside this installation, for the demo, the tests and the benchmarks."""
