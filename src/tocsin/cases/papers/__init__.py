"""Papers: forms of other systems, filled from a case, so that nothing is typed twice."""
