"""Coverage-guided fuzzing of the pure codecs and of mail parsing."""
