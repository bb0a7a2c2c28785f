// A real nginx before the service, where the machine has one.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from './free-ports.ts';
import type { ReverseProxy } from './reverse-proxy.ts';

const env = { ...process.env, PATH: [process.env['PATH'], '/usr/sbin', '/usr/local/sbin'].join(delimiter) };

/** Whether there is an nginx to start. */
export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v'], { env }).status === 0;
}

/**
 * Starts nginx on loopback, configured as README.md says, except that TLS is only claimed.
 * @param options `strip` is the path prefix that it takes away, if any
 */
export async function startNginx({ target, strip = '' }: { target: string; strip?: string }): Promise<ReverseProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration({ target, strip, port, folder }));
  const child = spawn('nginx', ['-c', file, '-e', join(folder, 'error.log')], { env, stdio: 'inherit' });
  const exited = once(child, 'exit');
  const origin = `http://127.0.0.1:${port}`;
  await untilItAnswers(child, origin);
  return {
    origin,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(options: { target: string; strip: string; port: number; folder: string }): string {
  const { target, strip, port, folder } = options;
  // with a path behind the target's origin, nginx replaces the location's prefix by it
  const location = strip
    ? `location ${strip}/ { proxy_pass ${target}/; } location / { proxy_pass ${target}; }`
    : `location / { proxy_pass ${target}; }`;
  const writable = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  return `
    daemon off;
    master_process off;
    pid ${join(folder, 'nginx.pid')};
    events {}
    http {
      access_log off;
      ${writable.join('\n')}
      server {
        listen 127.0.0.1:${port};
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto https;
        ${location}
      }
    }
  `;
}

async function untilItAnswers(child: ChildProcess, origin: string): Promise<void> {
  while (child.exitCode === null) {
    const answer = await fetch(`${origin}/ping`).catch(() => undefined);
    if (answer) return;
    await setTimeout(20);
  }
  throw new Error(`nginx ended with ${child.exitCode}`);
}
