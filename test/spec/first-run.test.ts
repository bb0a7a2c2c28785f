// The README's first commands in a fresh copy of the project: what the first start of the demo makes, the next one keeps.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { freePorts } from '../support/free-ports.ts';

const root = join(import.meta.dirname, '../..');
const left = new Set(['.env', '.git', 'coverage', 'data', 'docs', 'node_modules', 'test']);

describe('spec: the first run', () => {
  let copy: string;

  before(() => {
    copy = mkdtempSync(join(tmpdir(), 'identity-copy-'));
    cpSync(root, copy, { recursive: true, filter: (path) => !left.has(relative(root, path)) });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  });
  after(() => rmSync(copy, { recursive: true }));

  it('makes a private .env and an account, and the next start uses them again', async function () {
    this.timeout(60_000); // two starts of three programs, on a machine that may be busy
    const first = await runDemo(copy);
    assert.match(first.output, /This was the first start/);
    assert.equal(statSync(join(copy, '.env')).mode & 0o777, 0o600);
    assert.match(readFileSync(join(copy, '.env'), 'utf8'), new RegExp(`^DEMO_PASSWORD=${first.password}$`, 'm'));
    assert.ok(statSync(join(copy, 'data/identity.db')).size > 0);

    const second = await runDemo(copy);
    assert.doesNotMatch(second.output, /first start/);
    assert.equal(second.password, first.password);
  });
});

/** Starts the demo as npm does, asks each of the three for an answer, and presses Ctrl-C. */
async function runDemo(folder: string): Promise<{ output: string; password: string }> {
  const [provider, client, logging] = await freePorts(3);
  const child = spawn('npm', ['run', 'demo'], {
    cwd: folder,
    detached: true,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: String(provider),
      CLIENT_PORT: String(client),
      LOGGING_PORT: String(logging),
    },
  });
  const exited = once(child, 'close');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = exited.then(() => Promise.reject(new Error(`the demo ended:\n${output}`)));
  const urls = [`http://localhost:${provider}/ready`, `http://localhost:${client}`, `http://localhost:${logging}/ping`];
  try {
    while (!output.includes('Ctrl-C ends')) await Promise.race([once(child.stdout, 'data'), ended]);
    for (const url of urls) assert.equal((await fetch(url)).status, 200, url);
  } finally {
    // a terminal sends Ctrl-C to the whole group: npm, and what it started
    if (child.exitCode === null) process.kill(-Number(child.pid), 'SIGINT');
  }
  assert.deepEqual(await exited, [0, null], output);
  for (const url of urls) await assert.rejects(fetch(url), url);
  return { output, password: /^ *Password +(\S+)$/m.exec(output)?.[1] ?? '' };
}
