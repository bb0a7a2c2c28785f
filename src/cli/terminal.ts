// What a command may touch of the outside, and how it prints and reads.
import { type Command, InvalidArgumentError } from 'commander';

/** The outside of one run: everything that the program reads and writes arrives here. */
export interface Terminal {
  /** without the names of the interpreter and the program */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** where `.env` lies and relative paths of the configuration begin */
  readonly cwd: string;
  /** who runs the program, as the operating system knows them */
  readonly user?: string;
  /** ends a command that goes on by itself: nobody reads it any more */
  readonly signal?: AbortSignal;
}

/** The command cannot do what was asked: its message is the one line on stderr, and the program ends with 1. */
export class Failure extends Error {
  override name = 'Failure';
}

/** The option that every command has; see `report`. */
export interface JsonOption {
  json?: true;
}

/** Adds `--json` to a command. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON object');
}

/** Prints the result: one JSON object with wire names under `--json`, else lines for a person. */
export function report(terminal: Terminal, { json }: JsonOption, result: object, lines: readonly string[]): void {
  const text = json ? JSON.stringify(result, undefined, 2) : lines.join('\n');
  if (text !== '') terminal.stdout.write(`${text}\n`);
}

/** Prints what the person should know although the command goes on. */
export function warn(terminal: Terminal, sentence: string): void {
  terminal.stderr.write(`warning: ${sentence}\n`);
}

/** Rows in columns; an empty list says so. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['(none)'];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The members of one object, a line each. */
export function memberLines(members: Readonly<Record<string, unknown>>): string[] {
  const width = Math.max(...Object.keys(members).map((name) => name.length));
  return Object.entries(members).map(([name, value]) => {
    return `${name.padEnd(width)}  ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
}

/** Epoch seconds as a person reads them. */
export function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** An option that is given once for every element of a list. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** A whole number of seconds. @throws InvalidArgumentError */
export function seconds(written: string): number {
  if (!/^\d{1,9}$/.test(written)) throw new InvalidArgumentError('It must be a whole number of seconds.');
  return Number(written);
}

/**
 * The first line of standard input, without its end.
 * @throws Failure when there is none, or it is no UTF-8
 */
export async function readLine(terminal: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of terminal.stdin) {
    chunks.push(Buffer.from(chunk));
    if (chunks.at(-1)?.includes('\n') || Buffer.concat(chunks).length > 8_192) break;
  }
  const [line = ''] = decodeUtf8(Buffer.concat(chunks)).split(/\r?\n/, 1);
  if (line === '') throw new Failure('standard input is empty: write the password there as one line');
  return line;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Failure('standard input must be UTF-8');
  }
}
