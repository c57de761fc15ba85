"""A web server with bundles, for a box that is told an address."""

import contextlib
import http.server
import re
import threading


class Download:
    """Serves the files of a directory, pieces of them where a piece is asked for, and counts what it sent of them."""

    def __init__(self, directory):
        self.directory, self.sent, self.pieces = directory, 0, 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        path = self.directory / request.path.rsplit("/", 1)[-1]
        if not path.is_file():
            return request.send_error(404)
        size = path.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        self.pieces += wanted is not None
        last = min(int(wanted[2]), size - 1) if wanted and wanted[2] else size - 1
        request.send_response(206 if wanted else 200)
        request.send_header("Content-Length", str(last + 1 - first))
        request.send_header("Accept-Ranges", "bytes")
        if wanted:
            request.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        request.end_headers()
        if request.command == "GET":
            # RAUC hangs up when it has seen enough.
            with contextlib.suppress(ConnectionError):
                self.send(request, path, first, last + 1 - first)

    def send(self, request, path, first, length):
        with open(path, "rb") as file:
            file.seek(first)
            while length:
                piece = file.read(min(length, 1 << 16))
                request.wfile.write(piece)
                self.sent, length = self.sent + len(piece), length - len(piece)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
