// Tests that nothing hostile and nothing secret gets through the log, wherever it is put.
import assert from 'node:assert/strict';
import type { Logger } from '../../src/logging/logger.ts';
import { record } from './recording.ts';

const jwt = `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiJhIn0'.repeat(4)}.c2lnbmF0dXJlLXNpZ25hdHVyZQ`;

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...strings(member)]);
}

describe('log injection', () => {
  const hostile: [string, string][] = [
    ['a line break', 'alice\r\n{"level":30,"msg":"forged"}'],
    ['Unicode line separators', 'alice\u2028forged\u2029forged'],
    ['a next-line control', 'alice\u0085forged'],
    ['terminal escapes', '\u001b[2J\u001b[31mforged\u009b0m\u0007'],
    ['bidirectional overrides', 'alice\u202egnp.exe\u2066x'],
    ['NUL and DEL', 'a\u0000b\u007f'],
    ['a JSON fragment', '","level":60,"msg":"forged","x":"'],
    ['100 KB of text', 'A'.repeat(100_000)],
    ['100 KB of quotes', '"'.repeat(100_000)],
    ['100 KB of line breaks', '\n'.repeat(100_000)],
    ['100 KB of emoji', '😀'.repeat(25_000)],
    ['lone surrogates', '\ud800x\udc00'.repeat(500)],
    ['100 KB that begins a JWT again and again', 'eyJ'.repeat(33_000)],
    ['100 KB of parameters', 'code='.repeat(20_000)],
    ['100 KB of word characters', 'a_'.repeat(50_000)],
  ];
  const places: [string, (logger: Logger, text: string) => void][] = [
    ['a field', (logger, text) => logger.info({ username: text }, 'event')],
    ['a nested field', (logger, text) => logger.info({ client: { names: [text] } }, 'event')],
    ['the name of a field', (logger, text) => logger.info({ query: { [text]: '1' } }, 'event')],
    ['a top-level name', (logger, text) => logger.info({ [text]: '1' }, 'event')],
    ['the message', (logger, text) => logger.info(text)],
    ['a format argument', (logger, text) => logger.info('user %s, object %o', text, { text })],
    ['a child binding', (logger, text) => logger.child({ userAgent: text }).info('event')],
    ['an error', (logger, text) => logger.error(new Error(text, { cause: new Error(text) }))],
    ['a field of an error', (logger, text) => logger.error({ err: Object.assign(new Error('x'), { detail: text }) })],
  ];
  for (const [kind, text] of hostile) {
    for (const [place, log] of places) {
      it(`of ${kind} in ${place} leaves one printable line with fields of at most 1 KiB`, () => {
        const { recording, forwarded, logger } = record();
        const start = performance.now();
        log(logger, text);
        assert.ok(performance.now() - start < 250);
        assert.equal(recording.text.indexOf('\n'), recording.text.length - 1);
        assert.equal(recording.lines.length, 1);
        assert.ok(Buffer.byteLength(recording.text) < 65_536);
        const all = strings(recording.lines[0]);
        for (const string of all) {
          assert.doesNotMatch(string, /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
          assert.ok(string.isWellFormed());
          assert.ok(Buffer.byteLength(JSON.stringify(string)) <= 1024);
        }
        assert.ok(!all.includes('forged'));
        assert.ok([30, 50].includes(recording.lines[0]?.['level'] as number));
        assert.equal(forwarded.length, 1);
      });
    }
  }

  it('leaves ordinary text of every script as it is', () => {
    const { recording, logger } = record();
    const text = 'Zoë Ångström, 山田太郎, علي, 👨‍👩‍👧 — "quoted" \\ and <b>';
    logger.info({ name: text }, text);
    assert.equal(recording.lines[0]?.['name'], text);
    assert.equal(recording.lines[0]?.['msg'], text);
  });

  it('with very many fields keeps the line under 64 KiB and the message in it', () => {
    const { recording, logger } = record();
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, '"'.repeat(2000)]));
    logger.info({ many, list: [many, many] }, 'event');
    assert.ok(Buffer.byteLength(recording.text) < 65_536);
    assert.equal(recording.lines[0]?.['msg'], 'event');
  });

  it('with endless nesting or a circle keeps one line', () => {
    const { recording, logger } = record();
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    let deep: unknown = 'bottom';
    for (let i = 0; i < 20_000; i += 1) deep = [deep];
    logger.info({ circle }, 'circle');
    logger.info({ deep }, 'deep');
    assert.deepEqual(
      recording.lines.map(({ msg }) => msg),
      ['circle', 'deep'],
    );
  });
});

describe('redaction', () => {
  const names = [
    'authorization',
    'Authorization',
    'proxy-authorization',
    'cookie',
    'Set-Cookie',
    'password',
    'newPassword',
    'password_hash',
    'client_secret',
    'clientSecret',
    'client_assertion',
    'code',
    'code_verifier',
    'refresh_token',
    'access_token',
    'accessToken',
    'id_token',
    'id_token_hint',
    'token',
    'tokens',
    'secret',
    'jwt',
    'logout_token',
    'request',
    'subject_token',
    'actor_token',
    'assertion',
    'device_code',
    'user_code',
    'registration_access_token',
    'DPoP',
    'csrf',
    'jwk',
    'JWT_SECRET_KEY',
    'COOKIE_SECRET',
    'ENCRYPTION_KEY',
  ];
  for (const name of names) {
    it(`hides what is named ${name} at any depth`, () => {
      const { recording, logger } = record();
      logger.info({ [name]: 'canary' }, 'a');
      logger.info({ body: { list: [{ [name]: 'canary' }] } }, 'b');
      logger.info({ headers: { [name]: ['canary', { inner: 'canary' }] } }, 'c');
      logger.child({ [name]: 'canary' }).info('d');
      logger.error({ err: Object.assign(new Error('e'), { params: { [name]: 'canary-with-more-than-a-code' } }) });
      assert.ok(!recording.text.includes('canary'), recording.text);
      assert.equal(recording.text.match(/\[redacted\]/g)?.length, 5);
    });
  }

  const texts: [string, string, string][] = [
    ['a JWT', `token ${jwt} was refused`, 'token [jwt] was refused'],
    ['a truncated JWT', `token ${jwt.slice(0, 40)}`, 'token [jwt]'],
    ['an encrypted JWT', `got ${jwt}.Zm91cnRo.ZmlmdGg.`, 'got [jwt].'],
    ['bearer credentials', 'Authorization: Bearer abcDEF123-_~', 'Authorization: Bearer [redacted]'],
    ['basic credentials', 'got Basic d2ViOmNhbmFyeQ==', 'got Basic [redacted]'],
    [
      'a query',
      '/cb?state=s1&code=canary&x=1#access_token=canary',
      '/cb?state=s1&code=[redacted]&x=1#access_token=[redacted]',
    ],
    ['a query inside a parameter', '/a?next=/cb?code=canary', '/a?next=/cb?code=[redacted]'],
    ['a form', 'grant_type=x&client_secret=canary', 'grant_type=x&client_secret=[redacted]'],
    ['JSON', '{"sub":"a","client_secret": "can\\"ary","n":1}', '{"sub":"a","client_secret": "[redacted]","n":1}'],
    ['JSON inside JSON', '{"body":"{\\"password\\":\\"canary\\"}"}', '{"body":"{\\"password\\":\\"[redacted]\\"}"}'],
  ];
  for (const [kind, text, expected] of texts) {
    it(`masks ${kind} in free text, wherever it stands`, () => {
      const { recording, logger } = record();
      logger.info(text);
      logger.info({ note: text }, 'x');
      assert.equal(recording.lines[0]?.['msg'], expected);
      assert.equal(recording.lines[1]?.['note'], expected);
    });
  }

  it('masks a JWT that stands where the text is cut off', () => {
    const { recording, logger } = record();
    for (let length = 900; length < 1100; length += 1) logger.info('.'.repeat(length) + jwt);
    assert.doesNotMatch(recording.text, /eyJ/);
  });

  it('leaves what only sounds like a secret', () => {
    const { recording, logger } = record();
    const fields = {
      tokenHash: 'abc',
      token_type: 'Bearer',
      grantType: 'authorization_code',
      codes: 3,
      client_id: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      password: false,
      secret: null,
    };
    logger.info(fields, 'Bearer authentication of the token endpoint: code expired');
    const { level, time, pid, hostname, msg, ...rest } = recording.lines[0] ?? {};
    assert.deepEqual(rest, fields);
    assert.equal(msg, 'Bearer authentication of the token endpoint: code expired');
  });
});
