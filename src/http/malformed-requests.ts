// Answers what Node cannot read as an HTTP request in the form of our other refusals, where Node would say nothing more.
import { randomUUID } from 'node:crypto';
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { apiHeaders } from './security-headers.ts';

/** What Node found wrong (RFC 9110 §15.5.9, RFC 6585 §5); everything else is 400. */
const STATUSES: Record<string, number> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** @param server created with `requireHostHeader: false`: the request gate asks for that header itself */
export function answerMalformedRequests(server: Server, logger: Logger): void {
  const answers = new WeakMap<Socket, ServerResponse>();
  server.on('request', (req, res) => answers.set(req.socket, res));
  // RFC 9110 §10.1.1: an expectation that we do not know may be ignored
  server.on('checkExpectation', (req, res) => server.emit('request', req, res));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answers.get(socket);
    const answering = answer?.headersSent === true && !answer.writableFinished;
    if (error.code === 'ECONNRESET' || !socket.writable || answering) {
      socket.destroy();
      return;
    }
    const requestId = randomUUID();
    const status = STATUSES[error.code ?? ''] ?? 400;
    logger.debug({ requestId, status, reason: error.code, ip: socket.remoteAddress }, 'request refused unread');
    socket.end(refusal(status, requestId), () => socket.destroy());
  });
}

function refusal(status: number, requestId: string): string {
  const body = JSON.stringify({ error: 'invalid_request', error_description: 'the HTTP request is malformed' });
  const headers = {
    ...apiHeaders(),
    'X-Request-Id': requestId,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(body.length),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n');
}
