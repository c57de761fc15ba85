// The one way to the box: JSON over fetch, every failure an ApiError that says what to do next.
// It refuses to know any endpoint; those stand in box.ts.

import type { components } from '../../.types/schema';

export type Schemas = components['schemas'];

/** A mistake in a configuration, at its key. */
export type Problem = Schemas['Problem'];

/** The box said no, or did not answer (status 0). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly remedy: string;
  readonly field: string;
  readonly problems: Problem[];
  /** With a conflict: the version that is in force. */
  readonly version: number | null;

  constructor(status: number, answer: unknown) {
    const body = record(answer);
    const error = record(body.error);
    super(text(error.message));
    this.status = status;
    this.code = text(error.code) || (status === 0 ? 'unreachable' : `http-${status}`);
    this.remedy = text(error.remedy);
    this.field = text(error.field);
    this.problems = Array.isArray(body.problems) ? (body.problems as Problem[]) : [];
    this.version = typeof body.version === 'number' ? body.version : null;
  }
}

export interface Answer<T> {
  body: T;
  etag: string | null;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Told when the box does not know the reader any more. */
export const doorkeeper = { signedOut: (): void => {} };

const PATIENCE_MS = 15_000;

export async function ask<T>(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<T>> {
  const response = await send(method, path, body, headers);
  const answer = await parse(response);
  if (!response.ok) throw refusal(new ApiError(response.status, answer));
  return { body: answer as T, etag: response.headers.get('etag') };
}

function refusal(error: ApiError): ApiError {
  if (error.status === 401 && error.code !== 'wrong-password') doorkeeper.signedOut();
  return error;
}

/** A Blob goes as it is, everything else as JSON. */
async function send(method: Method, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  const kind = body instanceof Blob ? 'application/octet-stream' : 'application/json';
  try {
    return await fetch(`/api/v1/${path}`, {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: body === undefined ? headers : { 'content-type': kind, ...headers },
      body: body === undefined ? null : body instanceof Blob ? body : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, {});
  }
}

async function parse(response: Response): Promise<unknown> {
  const content = await response.text();
  try {
    return content === '' ? {} : JSON.parse(content);
  } catch {
    return { error: { message: content.slice(0, 200) } };
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
