// The one way in which a request is refused: a status, an error code for programs and a sentence for people.

/** Thrown by anything that handles a request; `server.ts` turns it into the answer. The message is sent to the caller. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
