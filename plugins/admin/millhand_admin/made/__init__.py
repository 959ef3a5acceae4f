"""Made-up papers with a known truth, for tests, benchmarks and the office scenario."""
