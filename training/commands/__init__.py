"""The commands of the command line, one module each: ``run(args)`` parses, does, prints, and
returns the exit code."""
