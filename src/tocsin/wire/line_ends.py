"""Line ends of mail: one document, whatever system it came from."""


def unix_lines(content: bytes) -> bytes:
    """The mail with every line end (CRLF, CR) as LF, so that each form of it is the same bytes."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
