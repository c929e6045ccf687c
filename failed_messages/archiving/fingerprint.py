"""The fingerprint of a failure: what identifies its cause."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from messaging.body import split_example
from messaging.certificate import Certificate, Reason
from messaging.storable import text

FINGERPRINT_HEX_DIGITS = 12

#: A frame of a Python traceback; a cut one lacks its beginning.
_FRAME = re.compile(r'File "(?P<file>[^"\n]+)"(?:, line \d+(?:, in (?P<function>[^\n]+))?)?')
#: Code that is not ours lives in one of these.
_FOREIGN = ("site-packages/", "dist-packages/", "/lib/python", "<")
#: Every handler is called through this package of ours, so that it says nothing about a cause.
_COMMON = "messaging/"
#: Whoever it was, and why: no two groups differ by that.
STOPPED = "stopped by an operator"
_TRACEBACK = "Traceback (most recent call last):"

#: A quote between words is an apostrophe.
_QUOTED = re.compile(r"""(?<!\w)(?P<quote>['"`]).*?(?P=quote)(?!\w)""", re.DOTALL)
#: Numbers, ids, dates, amounts: every word with a digit in it.
_NUMBERED = re.compile(r"[\w-]*\d[\w-]*(?:[.,:][\w-]*\d[\w-]*)*")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a message died, apart from what differs from message to message."""

    service: str
    exception: str
    reason: str
    frame: str
    pattern: str

    @property
    def words(self) -> str:
        """The pattern for people: of an example of a right body only a puzzle would be left."""
        return split_example(self.pattern)[0]

    @property
    def fingerprint(self) -> str:
        """Equal for equal causes, over processes and releases."""
        parts = (self.service, self.exception or self.reason, self.frame, self.pattern)
        digest = hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace"))
        return digest.hexdigest()[:FINGERPRINT_HEX_DIGITS]


def cause_of(death: Certificate) -> Cause:
    """The cause in a death certificate."""
    return Cause(
        service=death.service,
        exception=text(death.exception or "", 300),
        reason=text(death.reason, 30),
        frame=own_frame(death.traceback or ""),
        pattern=STOPPED if death.reason == Reason.STOPPED else pattern_of(death.message),
    )


def own_frame(traceback: str) -> str:
    """`billing/invoicing.py in issue`: the frame of our own code that is nearest to the error.

    Without the line, which another release moves. Empty where no frame is ours.
    """
    last = traceback.rpartition(_TRACEBACK)[2]
    ours = [frame for frame in map(_name, _FRAME.finditer(last)) if frame]
    telling = [frame for frame in ours if not frame.startswith(_COMMON)]
    return text((telling or ours or [""])[-1], 300)


def pattern_of(message: str) -> str:
    """The message with quoted text, ids and numbers taken out."""
    unquoted = _QUOTED.sub("'…'", message[:2_000])
    return text(" ".join(_NUMBERED.sub("#", unquoted).split()), 500)


def _name(frame: re.Match[str]) -> str:
    file = frame["file"].replace("\\", "/")
    if any(place in file for place in _FOREIGN):
        return ""
    # The folder that the code is installed in differs from machine to machine.
    module = "/".join(file.split("/")[-2:])
    return f"{module} in {frame['function'].strip()}" if frame["function"] else module
