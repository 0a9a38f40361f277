"""The HTTP side: a threading server on loopback that can also send what no proper server would."""

import logging
import socket
import socketserver
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from . import answers
from .answers import Answer
from .api import Api, parse
from .clock import Clock
from .hostile import HostilePlan
from .quota import Quota
from .world import World

logger = logging.getLogger(__name__)

_LOOPBACK = ("127.0.0.1", "::1")
_LARGEST_BODY = 4 * 1024 * 1024


class Simulator:
    """A running Reddit: a context manager that serves a world from a thread of its own."""

    def __init__(
        self,
        world: World,
        now_ts: int,
        port: int = 0,
        host: str = "127.0.0.1",
        *,
        quota: Quota | None = None,
        hostile: HostilePlan | None = None,
        ticking: bool = False,
        reject_credentials: bool = False,
        archive_quota: Quota | None = None,
    ) -> None:
        self.world = world
        self.clock = Clock(now_ts, ticking=ticking)
        self._api = Api(world, self.clock, quota, hostile, reject_credentials, archive_quota or Quota(2_000, 60))
        self._server = _Server((host, port), self._api)
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "Simulator":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def stats(self) -> dict[str, Any]:
        """Return requests by endpoint, their total (without tokens and control), tokens, and items served."""
        return self._api.stats.to_dict()

    def reset_stats(self) -> None:
        """Count from zero."""
        self._api.stats = type(self._api.stats)()

    def set_hostile(self, plan: str) -> None:
        """Replace the hostile plan; `[]` ends all hostility."""
        self._api.hostile = HostilePlan.parse(plan)

    def stop_archive(self, at_ts: int | None) -> None:
        """Let the archive see nothing that comes after a moment; None lets it catch up."""
        self._api.archive.stands_still_at = at_ts

    def visible_in(self, subreddit: str, start_ts: int, end_ts: int) -> set[str]:
        """Return the fullnames created in a span that Reddit would show now, by whatever way."""
        return self.world.visible_in(subreddit, start_ts, end_ts, self.clock.now())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], api: Api) -> None:
        self.api = api
        self.lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the resolver for this machine's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what went wrong; a client that goes away in the middle is none of it."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            logger.exception("the simulator failed at a connection")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "0")
        self._serve(self.rfile.read(min(int(length), _LARGEST_BODY)) if length.isdigit() else b"")

    def _serve(self, body: bytes) -> None:
        answer = self._answer(body)
        if answer.delay_s:
            time.sleep(answer.delay_s)
        if answer.resets:
            self._reset()
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("date", self.date_time_string(self.server.api.clock.now()))
        self.send_header("content-length", str(answer.announced or len(answer.body)))
        if self.close_connection:
            self.send_header("connection", "close")  # prawcore asks for it at every login
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        if answer.announced:
            self.close_connection = True

    def _answer(self, body: bytes) -> Answer:
        request = parse(self.command, self.path, body, self.headers.get("authorization", ""))
        try:
            if request.path.startswith("/_sim/"):
                is_near = self.client_address[0] in _LOOPBACK
                return self.server.api.control(request, body) if is_near else answers.refusal(403, "Forbidden")
            with self.server.lock:
                return self.server.api.answer(request)
        except Exception:
            logger.exception("the simulator failed at %s %s", self.command, self.path)
            return answers.as_page("the simulator failed; see its log", 500)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        """Let go of a connection that may be gone already."""
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the counts tell what was asked for."""
