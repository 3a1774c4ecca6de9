"""The games, one file each: rules and words, nothing else."""
