"""What complaints call things, as RSIT kinds: the words of report types, attack types and services.

The first row whose pattern occurs in the words wins, so that what is special stands before what is general.
`severity` is how much such a complaint weighs at first: copyright and `vulnerable/*` open no case.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from tocsin.wire.report import Severity


class Meaning(NamedTuple):
    """What a complaint is taken for."""

    kind: str
    severity: Severity


_LONGEST = 300  # characters of words that are looked at
UNDETERMINED = Meaning("other/undetermined", "info")

_WORDS: tuple[tuple[str, str, Severity], ...] = (
    (r"child|csam|csem", "abusive-content/violence", "critical"),
    (r"copyright|trademark|infring|dmca|piracy|bittorrent", "fraud/copyright", "info"),
    (
        r"amplif|open.?(resolver|recursive|ntp|snmp|ssdp|chargen|memcached|mdns|portmap)",
        "vulnerable/ddos-amplifier",
        "info",
    ),
    (
        r"open.?(service|port|proxy|relay|redis|mongo|elastic|ipmi|rdp|vnc|smb|ldap|telnet)|accessible",
        "vulnerable/potentially-unwanted-accessible",
        "info",
    ),
    (r"leak|exposed|disclos", "vulnerable/information-disclosure", "info"),
    (r"vulnerab|misconfig|outdated|security issue|poodle|freak", "vulnerable/vulnerable-system", "info"),
    (r"ransom", "malicious-code/x-uk-ransomware", "high"),
    (r"c&c|\bc2\b|command.?(and|&).?control|botnet.?(controller|server)", "malicious-code/c2-server", "high"),
    (
        r"(forum|comment|wiki|guestbook|blog|registration).?(spam|bot)|reg.?bot",
        "abusive-content/spam",
        "low",
    ),
    (r"phish", "fraud/phishing", "medium"),
    (
        r"brute|login|log.?in|password|auth|dictionary|\b(ssh|sshd|ftp|ftpd|imap|pop3?|sasl|sip|rdp|telnet|sieve|"
        r"asterisk|webmin|wp-login|xmlrpc)\b",
        "intrusion-attempts/brute-force",
        "low",
    ),
    (
        r"port.?(scan|flood|probe)|\bscan|probe|recon|crawl|bad.?bot|harvest",
        "information-gathering/scanner",
        "low",
    ),
    (r"ddos|distributed", "availability/ddos", "high"),
    (r"\bdos\b|denial|flood", "availability/dos", "medium"),
    (
        r"defac|compromis|hacked|web.?shell|backdoor|rooted|trojanized|redirect",
        "intrusions/system-compromise",
        "high",
    ),
    (r"sinkhole|bot|drone|zombie|infect|worm|conficker|mirai", "malicious-code/infected-system", "medium"),
    (
        r"malware|virus|trojan|malicious (software|code|content|file|url)",
        "malicious-code/malware-distribution",
        "medium",
    ),
    (
        r"inject|exploit|\brfi\b|\blfi\b|traversal|web.?attack|hack|apache|nginx|http|waf|modsec|\battack|"
        r"intrusion",
        "intrusion-attempts/exploit",
        "low",
    ),
    (r"spam|bulk|\buce\b|\bube\b|mail|smtp|postfix|exim|rbl|blacklist", "abusive-content/spam", "low"),
    (r"fraud|scam|fake|masquerad|brand|impersonat", "fraud/masquerade", "medium"),
    (r"spoof", "fraud/masquerade", "low"),
)  # fmt: skip
_COMPILED = tuple(
    (re.compile(pattern, re.IGNORECASE), Meaning(kind, severity)) for pattern, kind, severity in _WORDS
)


def meaning_of(words: str) -> Meaning:
    """The kind and severity that these words stand for; `other/undetermined` where none is known."""
    return _meaning_of(words[:_LONGEST])


@lru_cache(maxsize=4096)
def _meaning_of(words: str) -> Meaning:
    plain = re.sub(r"[-_/]+", " ", words)
    for pattern, meaning in _COMPILED:
        if pattern.search(words) or pattern.search(plain):
            return meaning
    return UNDETERMINED


_SERVICES: tuple[tuple[str, str], ...] = (
    (
        r"xmlrpc|wp-login|wordpress|apache|nginx|http|web|\b(?:get|post|head)\b|reg.?bot|bad.?bot|phish|waf|forum",
        "http",
    ),
    (r"ssh", "ssh"),
    (r"postfix|exim|sendmail|smtp|spam|harvest|sasl|\bmail\b|courieresmtp", "smtp"),
    (r"imap|dovecot", "imap"),
    (r"pop3?", "pop3"),
    (r"ftp", "ftp"),
    (r"\bsip\b|asterisk|voip", "sip"),
    (r"\brdp\b|terminal", "rdp"),
    (r"telnet", "telnet"),
    (r"mysql|maria", "mysql"),
    (r"\bdns\b|named|bind", "dns"),
    (r"bittorrent|\bp2p\b", "p2p"),
)
_SPOKEN = tuple((re.compile(pattern, re.IGNORECASE), service) for pattern, service in _SERVICES)


def service_of_words(words: str) -> str:
    """The service that these words name, in our own name for it; empty where none is known."""
    return next((service for pattern, service in _SPOKEN if pattern.search(words[:_LONGEST])), "")
