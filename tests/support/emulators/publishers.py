"""Servers that publish databases, with the rules of the real ones.

- ``Files``: whatever lies in ``files``, by path; ETag and Last-Modified, 304, 404. A mirror, or the host that
  a publisher redirects to.
- ``Dbip``: ``/free/dbip-{kind}-lite-{YYYY-MM}.mmdb.gz``, for months that are out.
- ``MaxMind``: HTTP basic authentication (401); ``/geoip/updates/metadata?edition_id=`` says date and MD5 of
  the unpacked file; ``/geoip/databases/{id}/download?date=&suffix=tar.gz`` redirects (302) to another host
  with a signature in the URL, and is counted: more than ``downloads`` are 429 with Retry-After.
- ``IpLocationDb``: ``.../releases/download/latest/{name}.mmdb`` redirects to another host.
- ``IpinfoData``: ``/data/ipinfo_lite.mmdb?token=`` (403 for another token), ETag, redirected as well.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
from typing import Any

from tests.support.emulators.base import Emulator
from tests.support.emulators.wire import Answer, Request

LAST_MODIFIED = "Sun, 01 Nov 2026 04:00:00 GMT"


class Files(Emulator):
    """Files by path. ``etags=False``: it knows no conditional requests."""

    path = "/"

    def __init__(self, *, etags: bool = True, port: int = 0) -> None:
        super().__init__(limit=None, window=60.0, latency=0.0, port=port)
        self.files: dict[str, bytes] = {}
        self.etags = etags

    def respond(self, request: Request) -> Answer:
        return self.file(request, request.path)

    def file(self, request: Request, path: str) -> Answer:
        if path not in self.files:
            return Answer(404, "Not found")
        content = self.files[path]
        if not self.etags:
            return Answer(200, content)
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"', "Last-Modified": LAST_MODIFIED}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Answer(304, b"", headers)
        return Answer(200, content, headers)

    def _answer(self, request: Request) -> Answer:
        return self.respond(request) if request.method == "GET" else Answer(405, "Method not allowed")


class Dbip(Files):
    """download.db-ip.com."""

    @property
    def base(self) -> str:
        return f"{self.origin}/free"

    def publish(self, kind: str, month: str, database: bytes) -> str:
        path = f"/free/dbip-{kind}-lite-{month}.mmdb.gz"
        self.files[path] = gzip.compress(database)
        return path


class Redirecting(Files):
    """A publisher that lets another host send the files."""

    def __init__(self, storage: Files, port: int = 0) -> None:
        super().__init__(port=port)
        self.storage = storage

    def elsewhere_with(self, name: str, content: bytes) -> Answer:
        self.storage.files[f"/signed/{name}"] = content
        return Answer(302, b"", {"Location": f"{self.storage.origin}/signed/{name}?signature=s3cr3t"})


class MaxMind(Redirecting):
    """updates.maxmind.com."""

    account, licence_key = "123456", "lk_0f3c2a"

    def __init__(self, storage: Files, *, downloads: int = 30, port: int = 0) -> None:
        super().__init__(storage, port=port)
        self.editions: dict[str, tuple[str, bytes]] = {}
        self.left = downloads
        self.md5: str | None = None

    def publish(self, edition: str, day: str, database: bytes) -> None:
        self.editions[edition] = (day, database)

    def respond(self, request: Request) -> Answer:
        expected = base64.b64encode(f"{self.account}:{self.licence_key}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return Answer(401, {"code": "AUTHORIZATION_INVALID", "error": "Your account ID or ..."})
        if request.path == "/geoip/updates/metadata":
            edition = request.query.get("edition_id", "")
            if edition not in self.editions:
                return Answer(200, {"databases": []})
            day, database = self.editions[edition]
            md5 = self.md5 or hashlib.md5(database, usedforsecurity=False).hexdigest()
            return Answer(200, {"databases": [{"edition_id": edition, "date": day, "md5": md5}]})
        edition = request.path.removeprefix("/geoip/databases/").removesuffix("/download")
        if edition not in self.editions:
            return Answer(404, "Database edition not found")
        day, database = self.editions[edition]
        if (request.query.get("date"), request.query.get("suffix")) != (day.replace("-", ""), "tar.gz"):
            return Answer(404, "Not found")
        if self.left < 1:
            return Answer(429, "Daily GeoIP database download limit reached", {"Retry-After": "3600"})
        self.left -= 1
        return self.elsewhere_with(f"{edition}.tar.gz", tar_gz(edition, day, database))


class IpinfoData(Redirecting):
    """ipinfo.io/data."""

    token = "tok-4f9d2c71a8"  # noqa: S105 (the emulator's own)

    def __init__(self, storage: Files, port: int = 0) -> None:
        super().__init__(storage, port=port)
        self.database = b""

    @property
    def base(self) -> str:
        return f"{self.origin}/data"

    def respond(self, request: Request) -> Answer:
        if request.query.get("token") != self.token:
            return Answer(403, {"error": {"title": "Unknown token"}})
        if request.path != "/data/ipinfo_lite.mmdb":
            return Answer(404, "Not found")
        return self.elsewhere_with("ipinfo_lite.mmdb", self.database)


class IpLocationDb(Redirecting):
    """The release ``latest`` of github.com/sapics/ip-location-db; GitHub has the files on another host."""

    def __init__(self, storage: Files, port: int = 0) -> None:
        super().__init__(storage, port=port)
        self.databases: dict[str, bytes] = {}

    @property
    def base(self) -> str:
        return f"{self.origin}/sapics/ip-location-db/releases/download/latest"

    def respond(self, request: Request) -> Answer:
        name = request.path.removeprefix("/sapics/ip-location-db/releases/download/latest/")
        if name not in self.databases:
            return Answer(404, "Not Found")
        return self.elsewhere_with(name, self.databases[name])


def tar_gz(edition: str, day: str, database: bytes, **changes: Any) -> bytes:
    """An archive as MaxMind makes it: a directory, two texts, the database."""
    packed = io.BytesIO()
    folder = f"{edition}_{day.replace('-', '')}"
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo(folder)
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
        contents = {"COPYRIGHT.txt": b"(c)", "LICENSE.txt": b"EULA", f"{edition}.mmdb": database}
        for name, content in (changes or contents).items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
