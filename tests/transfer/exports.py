"""Small WordPress exports, written for the tests."""

from __future__ import annotations

from pathlib import Path

from service.transfer import wordpress
from service.transfer.foreign import ForeignComment

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:wp="http://wordpress.org/export/1.2/">'
VERSION = "<wp:wxr_version>1.2</wp:wxr_version>"
POST = {"title": "A page", "link": "https://example.org/a/", "wp:post_id": "7", "wp:status": "publish"}
COMMENT = {
    "comment_id": "1",
    "comment_author": "Ada",
    "comment_author_email": "ada@example.org",
    "comment_date": "2020-05-01 12:00:00",
    "comment_date_gmt": "2020-05-01 10:00:00",
    "comment_content": "Hello",
    "comment_approved": "1",
}


def comment(extra: str = "", **fields: str | None) -> str:
    """A `wp:comment` of the usual fields, changed by `fields`; None leaves one out."""
    values = {**COMMENT, **{f"comment_{name}": value for name, value in fields.items()}}
    inner = "".join(f"<wp:{name}>{value}</wp:{name}>" for name, value in values.items() if value is not None)
    return f"<wp:comment>{inner}{extra}</wp:comment>\n"


def item(*comments: str, **fields: str) -> str:
    """An `item` of the usual fields; `status` in `fields` is `wp:status`, and so on."""
    values = {**POST, **{name if name in POST else f"wp:{name}": value for name, value in fields.items()}}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<item>{inner}\n{''.join(comments)}</item>"


def export(*items: str, head: str = HEAD) -> str:
    """A whole document around `items`."""
    return f"{head}\n<channel>{VERSION}{''.join(items)}</channel></rss>"


def saved(folder: Path, text: str | bytes, name: str = "export.xml") -> Path:
    """The document in a file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def comments_in(path: Path) -> list[ForeignComment]:
    """The comments of an export, without its pages."""
    return [row for row in wordpress.read(path) if isinstance(row, ForeignComment)]
