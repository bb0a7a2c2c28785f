#!/usr/bin/env node
// The entry of the `identity` command: hands the process to the program and its answer to the shell.
import { enableCompileCache } from 'node:module';
import { userInfo } from 'node:os';

// Before the program is imported, so that its types are stripped once and not at every command.
enableCompileCache();
const { runIdentity } = await import('./program.ts');

const { argv, env, stdin, stdout, stderr } = process;
stdout.on('error', endBadly);
stderr.on('error', () => {}); // nowhere is left to say so
const unread = new AbortController();
stdout.on('error', () => unread.abort());
const exitCode = await runIdentity({
  argv: argv.slice(2),
  env,
  stdin,
  stdout,
  stderr,
  cwd: process.cwd(),
  user: findUser(),
  signal: unread.signal,
});
process.exitCode ||= exitCode;

/** A reader that has seen enough (`identity … | head`) changes nothing; output that is lost otherwise is a failure. */
function endBadly({ code, message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') return;
  process.exitCode = 1;
  stderr.write(`identity: the output could not be written: ${message}\n`);
}

/** The name, or the number of one that the system has no name for, as in many containers. */
function findUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}
