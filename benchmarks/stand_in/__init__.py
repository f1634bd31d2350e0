"""The provider of the benchmarks: answers recorded once, served as fast as a loopback allows."""
