"""Projects, accounts and devices, one a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sopor.cli.paint import one_line, paint
from sopor.cli.rendering.times import short_time

if TYPE_CHECKING:
    from sopor.account import AccountInfo
    from sopor.remote import RemoteDevice
    from sopor.repository.results import ProjectInfo

_UNITS = ("kB", "MB", "GB", "TB")


def project_lines(projects: Sequence[ProjectInfo]) -> Iterator[str]:
    """Yields name, id, size, time of the last push, role, organization, and whether archived."""
    width = max((len(one_line(project.name)) for project in projects), default=0)
    for project in projects:
        name = f"{one_line(project.name):{width}}"
        identity = paint("hash", project.id.short)
        pushed = paint("dim", short_time(project.updated.milliseconds))
        status = "" if project.status == "active" else f", {paint('warning', project.status)}"
        where = f"{project.role} in {one_line(project.organization_name)}{status}"
        yield f"{name}  {identity}  {size(project.bytes):>9}  {pushed}  {where}"


def account_lines(accounts: Sequence[AccountInfo]) -> Iterator[str]:
    """Yields login, server and device; the account that is meant without a name has a star."""
    for account in accounts:
        star = "*" if account.default else " "
        device = f"device {one_line(account.device_name)} {account.device.short}"
        kept = f"keys kept by {account.protection}"
        if account.sign_on is not None:
            kept += f", signed on at {one_line(account.sign_on)}"
        login = paint("title", one_line(account.login))
        yield f"{star} {login} at {one_line(account.server)}  {paint('dim', f'{device}, {kept}')}"


def device_lines(devices: Sequence[RemoteDevice]) -> Iterator[str]:
    """Yields id, name and last use; this device has a star."""
    width = max((len(one_line(device.name)) for device in devices), default=0)
    for device in devices:
        star = "*" if device.current else " "
        used = f"last used {short_time(device.last_used)}"
        identity = paint("hash", device.id.short)
        yield f"{star} {identity}  {one_line(device.name):{width}}  {paint('dim', used)}"


def size(number: int) -> str:
    """Returns a number of bytes with a unit of powers of 1,000: ``12.3 kB``."""
    value, unit = float(number), "bytes"
    for larger in _UNITS:
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{number} bytes" if unit == "bytes" else f"{value:.1f} {unit}"
