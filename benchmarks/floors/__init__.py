"""The floors: raw programs that do the bare work and nothing else."""
