"""A Modbus TCP device that lies: answers of the wrong length, to another request, from another unit, in
pieces, late, twice or not at all, and in between true ones with senseless values."""

import asyncio
import struct
import threading

from box import free_port
from mutation import Spoiler


class Liar:
    def __init__(self, seed):
        self.port = free_port()
        self.line = f'tcp = "127.0.0.1:{self.port}"'
        self.spoiler = Spoiler(seed)
        self.dice = self.spoiler.dice
        self.asked = 0
        self.loop = None

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readexactly(7)
                exchange, _, length, unit = struct.unpack(">HHHB", head)
                request = await reader.readexactly(length - 1)
                self.asked += 1
                await self._say(writer, exchange, unit, self._answer(request))
        except (asyncio.IncompleteReadError, ConnectionError, struct.error):
            pass
        except asyncio.CancelledError:
            pass
        finally:
            writer.close()

    def _answer(self, request):
        """The right shape, with values that nobody has measured."""
        function = request[0]
        if function in (3, 4) and len(request) >= 5:
            count = 2 * struct.unpack(">H", request[3:5])[0]
            values = self.dice.choice([bytes(count), b"\xff" * count, b"\x7f\xc0" * (count // 2), self.dice.randbytes(count)])
            return bytes([function, count & 0xFF]) + values
        return request[:5]

    async def _say(self, writer, exchange, unit, answer):
        frame = struct.pack(">HHHB", exchange, 0, len(answer) + 1, unit) + answer
        match self.dice.randrange(10):
            case 0:
                frame = self.spoiler.bytes(frame, self.dice.randint(1, 4))
            case 1:
                frame = struct.pack(">HHHB", exchange ^ 1, 0, len(answer) + 1, unit) + answer
            case 2:
                frame = struct.pack(">HHHB", exchange, 0, self.dice.randrange(65_536), unit) + answer
            case 3:
                code = bytes([answer[0] | 0x80, self.dice.randrange(256)])
                frame = struct.pack(">HHHB", exchange, 0, 3, self.dice.choice([unit, 0, 255])) + code
            case 4:
                frame = self.dice.choice([frame * 2, frame[:-1], self.dice.randbytes(300), b""])
            case 5:
                writer.write(frame[:5])
                await writer.drain()
                await asyncio.sleep(0.05)
                frame = frame[5:]
            case 6:
                await asyncio.sleep(self.dice.choice([0.1, 1.2]))
            case 7:
                writer.close()
                return
        writer.write(frame)
        await writer.drain()

    async def _run(self, started):
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.stopped = asyncio.Event()
        started.set()
        await self.stopped.wait()
        server.close()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    def start(self):
        started = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._run(started)), daemon=True)
        self.thread.start()
        assert started.wait(5)
        return self

    def stop(self):
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(5)
