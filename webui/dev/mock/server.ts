// A stand-in for the box under `npm run dev`: the same addresses, the same shapes, a made-up site.
// `/mock/set?meterLost=true` and the like turn its knobs.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';
import { routes, type Reply } from './routes';
import { breathe, picture, world } from './site';

const streams = new Set<ServerResponse>();

export function mockSite(): Plugin {
  return {
    name: 'mock-site',
    apply: 'serve',
    configureServer(server) {
      const timer = setInterval(() => {
        breathe();
        for (const stream of streams) stream.write(frame());
      }, 1000);
      timer.unref();
      server.middlewares.use((request, response, next) => void handle(request, response, next));
    },
  };
}

const frame = () => `event: site\ndata: ${JSON.stringify(picture(Date.now()))}\n\n`;

async function handle(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock');
  if (url.pathname === '/mock/set') return knobs(url, response);
  if (!url.pathname.startsWith('/api/v1/')) return next();
  const path = decodeURIComponent(url.pathname.slice('/api/v1/'.length));
  if (path === 'live') return stream(response);
  const body = await read(request);
  answer(response, await routes({ method: request.method ?? 'GET', path, query: url.searchParams, body, ifMatch: request.headers['if-match'] ?? '' }));
}

function knobs(url: URL, response: ServerResponse): void {
  for (const [key, value] of url.searchParams) Object.assign(world, { [key]: JSON.parse(value) });
  if (url.searchParams.has('cut')) for (const stream of streams) stream.destroy();
  answer(response, { status: 200, body: world });
}

function stream(response: ServerResponse): void {
  if ((world as { cut?: boolean }).cut) return answer(response, { status: 503, body: { error: { code: 'busy', message: 'busy', remedy: '' } } });
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write(frame());
  streams.add(response);
  response.on('close', () => streams.delete(response));
}

async function read(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  return text === '' ? {} : JSON.parse(text);
}

function answer(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
