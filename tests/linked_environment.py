"""A Python environment with some of this one's packages, as links: pip would take a minute."""

from __future__ import annotations

import re
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: `amqp==5.4.2 \`, or with a marker behind it, of which the lines of hashes are none.
PIN = re.compile(r"(?m)^([\w.-]+==[^\\\n]+)")


def make_environment(folder: Path, lock: Path) -> Path:
    """Make an environment with what a file of pins names, and nothing else; returns its `bin`.

    Raises:
        AssertionError: this environment has another version of a package, or one needs a package
            that is not pinned: pip would not install them either.
        PackageNotFoundError: this environment does not have a package.
    """
    venv.create(folder, symlinks=True)
    pinned = pins(lock)
    packages = [distribution(pin.name) for pin in pinned]
    wanted = [f"{canonicalize_name(pin.name)}{pin.specifier}" for pin in pinned]
    assert [f"{normal(each)}=={each.version}" for each in packages] == wanted
    assert not (missing := needed(packages) - {normal(each) for each in packages}), missing
    (installed,) = folder.glob("lib/python*/site-packages")
    for package in packages:
        link(package, installed)
    return folder / "bin"


def pins(lock: Path) -> list[Requirement]:
    """What a file of pins names for this Python and system, without the hashes."""
    named = [Requirement(pin) for pin in PIN.findall(lock.read_text())]
    return [each for each in named if each.marker is None or each.marker.evaluate()]


def needed(packages: Iterable[Distribution]) -> set[str]:
    """What they require, but for their extras."""
    required = [Requirement(each) for package in packages for each in package.requires or ()]
    return {
        canonicalize_name(each.name)
        for each in required
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }


def link(package: Distribution, installed: Path) -> None:
    """Each of its files; its programs are written anew, as their first line names a Python."""
    shebang = f"#!{installed.parents[2] / 'bin/python'}"
    for file in package.files or ():
        source, target = Path(str(file.locate())), installed / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if ".." not in file.parts:
            target.symlink_to(source)
        else:
            target.write_text(re.sub(r"\A#!.*", shebang, source.read_text()))
            target.chmod(0o755)


def normal(package: Distribution) -> str:
    return canonicalize_name(package.metadata["Name"])
