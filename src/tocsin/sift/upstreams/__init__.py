"""What others tell, passed on to the exchange as this member's words: MISP, STIX, TAXII and CSV."""
