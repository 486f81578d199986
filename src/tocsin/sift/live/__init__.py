"""`tocsin watch`: sources that go on, read to where they are, without loss and without doubles."""
