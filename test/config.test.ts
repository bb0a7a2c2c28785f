// The configuration: what production refuses, what it says, and that nothing it says is a secret.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'dotenv';
import { VARIABLES } from '../src/config/variables.ts';
import { type Config, ConfigError, parseConfig } from '../src/config.ts';

type Env = Record<string, string | undefined>;

/** Looks random and is the same in every run. */
function secretFor(label: string): string {
  return createHash('sha256').update(label).digest('base64url');
}

const production: Env = {
  JWT_ISSUER: 'https://id.example.com',
  COOKIE_SECRET: secretFor('cookie'),
  JWT_SECRET_KEY: secretFor('jwt'),
  ENCRYPTION_KEY: secretFor('encryption'),
};
const development: Env = { ...production, NODE_ENV: 'development', JWT_ISSUER: undefined };

function refusal(env: Env): ConfigError {
  try {
    parseConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError, `not a ConfigError: ${error}`);
    return error;
  }
  assert.fail('the configuration was accepted');
}

/** Names of the variables that have a problem. */
function refused(env: Env): string[] {
  return [...new Set(refusal(env).problems.map((problem) => problem.slice(0, problem.indexOf(':'))))];
}

const oldName = { ...production, COOKIE_SECRET: undefined, FLASK_SECRET_KEY: secretFor('cookie') };
const database = (password: string) => `postgres://identity:${encodeURIComponent(password)}@db.example.com/identity`;
const callbacks = { BROWSER_UI_REDIRECT_URIS: 'https://www.example.com/callback' };

describe('configuration', () => {
  describe('of a production installation', () => {
    it('needs an issuer and three secrets, and has defaults for the rest', () => {
      const { features, ...config } = parseConfig(production);
      assert.deepEqual(config, {
        mode: 'production',
        issuer: 'https://id.example.com',
        sharedSecretIssuer: 'https://id.example.com',
        cookieSecrets: [secretFor('cookie')],
        jwtSecrets: [secretFor('jwt')],
        encryptionKeys: [secretFor('encryption')],
        accessTokenLifetime: 900,
        keySchedule: { publish: 14 * 86_400, sign: 90 * 86_400, retire: 14 * 86_400 },
        session: { idle: 720 * 60, absolute: 30 * 86_400 },
        database: { engine: 'sqlite', path: 'data/identity.db' },
        port: 3000,
        host: '0.0.0.0',
        workers: 1,
        trustedProxies: [],
        installation: { name: 'id.example.com' },
        loggingBackendAud: 'logging-service',
        identitySub: 'identity-backend',
        upstreams: [],
        linkByEmail: [],
        allowSignUp: false,
        allowUnauthenticatedTokens: false,
        clockSkew: 15,
        logLevel: 'info',
      } satisfies Omit<Config, 'features'>);
      assert.equal(features.size, 0);
    });

    for (const name of [undefined, '', 'production', 'prod', 'Development', 'staging']) {
      it(`is meant when NODE_ENV is ${JSON.stringify(name)}`, () => {
        assert.equal(parseConfig({ ...production, NODE_ENV: name }).mode, 'production');
      });
    }

    for (const name of ['JWT_ISSUER', 'COOKIE_SECRET', 'JWT_SECRET_KEY', 'ENCRYPTION_KEY']) {
      for (const value of [undefined, '']) {
        it(`is refused when ${name} is ${value === '' ? 'empty' : 'unset'}`, () => {
          assert.deepEqual(refused({ ...production, [name]: value }), [name]);
        });
      }
    }

    const weak: [string, string][] = [
      ['a published example', 'dkYM8s8HJGPjjWdXeC9M8uKDnt-G_faRZOEeMYSx4p4'],
      ['the placeholder changeme', 'changeme'],
      ['the placeholder <strong-shared-secret>', '<strong-shared-secret>'],
      ['the placeholder your_shared_secret', 'your_shared_secret'],
      ['the placeholder dev-client-secret-default', 'dev-client-secret-default'],
      ['a long placeholder', 'Please-Change-Me-before-you-go-live-2026!'],
      ['a command that no shell ran', '$(openssl rand -base64 48 | tr -d "\\n")'],
      ['a template that nothing filled in', `{{ ${secretFor('template')} }}`],
      ['31 bytes long', secretFor('short').slice(0, 31)],
      ['one character 40 times', 'k'.repeat(40)],
      ['five different characters in no order', 'kPzzkP4zPP4k9zkzP49kP9zz4kkP9P4zkk4z'],
      ['a pattern repeated', 'kP4z9Lw2'.repeat(4)],
      ['a run of letters and digits', 'abcdefghijklmnopqrstuvwxyz0123456789'],
      ['followed by a space', `${secretFor('space')} `],
      ['preceded by a tab', `\t${secretFor('space')}`],
      ['followed by a newline', `${secretFor('space')}\n`],
      ['followed by a comma', `${secretFor('comma')},`],
      ['a list with a weak second element', `${secretFor('first')},changeme`],
      ['a list with the same secret twice', `${secretFor('first')},${secretFor('first')}`],
    ];
    for (const name of ['COOKIE_SECRET', 'FLASK_SECRET_KEY', 'JWT_SECRET_KEY', 'ENCRYPTION_KEY']) {
      for (const [what, value] of weak) {
        it(`is refused when ${name} is ${what}, and does not say the value`, () => {
          const base = name === 'FLASK_SECRET_KEY' ? oldName : production;
          const error = refusal({ ...base, [name]: value });
          assert.deepEqual(refused({ ...base, [name]: value }), [name]);
          for (const part of value.split(',')) {
            if (part.trim() !== '') assert.ok(!error.message.includes(part.trim()), error.message);
          }
        });
      }
    }

    const same = secretFor('same');
    const equal: [Env, string][] = [
      [{ COOKIE_SECRET: same, JWT_SECRET_KEY: same }, 'JWT_SECRET_KEY'],
      [{ COOKIE_SECRET: same, ENCRYPTION_KEY: same }, 'ENCRYPTION_KEY'],
      [{ JWT_SECRET_KEY: same, ENCRYPTION_KEY: same }, 'ENCRYPTION_KEY'],
      [{ COOKIE_SECRET: undefined, FLASK_SECRET_KEY: same, JWT_SECRET_KEY: same }, 'JWT_SECRET_KEY'],
      [
        { COOKIE_SECRET: `${secretFor('a')},${same}`, ENCRYPTION_KEY: `${secretFor('b')},${secretFor('c')},${same}` },
        'ENCRYPTION_KEY',
      ],
      [{ ENCRYPTION_KEY: same, BROWSER_UI_CLIENT_SECRET: same, ...callbacks }, 'BROWSER_UI_CLIENT_SECRET'],
      [{ JWT_SECRET_KEY: same, DATABASE_URL: database(same) }, 'DATABASE_URL'],
    ];
    for (const [secrets, name] of equal) {
      it(`is refused when ${Object.keys(secrets).join(' and ')} share a secret`, () => {
        assert.deepEqual(refused({ ...production, ...secrets }), [name]);
        assert.ok(!refusal({ ...production, ...secrets }).message.includes(same));
      });
    }

    const notations: [string, (bytes: Buffer) => string][] = [
      ['base64url of 32 bytes', (bytes) => bytes.subarray(0, 32).toString('base64url')],
      ['base64 of 64 bytes', (bytes) => bytes.toString('base64')],
      ['hexadecimal of 32 bytes', (bytes) => bytes.subarray(0, 32).toString('hex')],
      ['hexadecimal of 16 bytes', (bytes) => bytes.subarray(0, 16).toString('hex')],
    ];
    for (const [what, notation] of notations) {
      it(`accepts random secrets in ${what}, and lists of them`, () => {
        const secrets = Array.from({ length: 500 }, (_, n) =>
          notation(createHash('sha512').update(String(n)).digest()),
        );
        assert.deepEqual(parseConfig({ ...production, JWT_SECRET_KEY: secrets.join(',') }).jwtSecrets, secrets);
      });
    }

    const switches: [string, string, boolean][] = [
      ['DEMO_USERNAME', 'u', false],
      ['DEMO_PASSWORD', 'p', false],
      ['ALLOW_UNAUTHENTICATED_TOKENS', 'true', false],
      ['ALLOW_UNAUTHENTICATED_TOKENS', '1', false],
      ['ALLOW_UNAUTHENTICATED_TOKENS', 'maybe', false],
      ['ALLOW_UNAUTHENTICATED_TOKENS', 'off', true],
      ['DEMO_USERNAME', '', true],
    ];
    for (const [name, value, accepted] of switches) {
      it(`${accepted ? 'accepts' : 'is refused with'} ${name}=${value}`, () => {
        if (accepted) assert.equal(parseConfig({ ...production, [name]: value }).allowUnauthenticatedTokens, false);
        else assert.deepEqual(refused({ ...production, [name]: value }), [name]);
      });
    }

    const clients: [string, Env, string][] = [
      ['a published secret', { BROWSER_UI_CLIENT_SECRET: 'dev-client-secret-default' }, 'BROWSER_UI_CLIENT_SECRET'],
      ['a secret of 15 bytes', { BROWSER_UI_CLIENT_SECRET: 'q8Zr2LwT5xVb9Ny' }, 'BROWSER_UI_CLIENT_SECRET'],
      ['no secret', {}, 'BROWSER_UI_CLIENT_SECRET'],
      ['no redirect URI', { BROWSER_UI_REDIRECT_URIS: undefined }, 'BROWSER_UI_REDIRECT_URIS'],
      ['a list without redirect URI', { BROWSER_UI_REDIRECT_URIS: ',' }, 'BROWSER_UI_REDIRECT_URIS'],
      ['an http redirect URI', { BROWSER_UI_REDIRECT_URIS: 'http://www.example.com/cb' }, 'BROWSER_UI_REDIRECT_URIS'],
      ['a fragment', { BROWSER_UI_REDIRECT_URIS: 'https://www.example.com/cb#x' }, 'BROWSER_UI_REDIRECT_URIS'],
      ['a script', { BROWSER_UI_REDIRECT_URIS: 'javascript:alert(1)' }, 'BROWSER_UI_REDIRECT_URIS'],
      ['a backslash', { BROWSER_UI_REDIRECT_URIS: 'https://www.example.com\\cb' }, 'BROWSER_UI_REDIRECT_URIS'],
    ];
    for (const [what, env, name] of clients) {
      it(`is refused with a browser client that has ${what}`, () => {
        const secret = what === 'no secret' ? {} : { BROWSER_UI_CLIENT_SECRET: secretFor('client') };
        assert.deepEqual(refused({ ...production, ...callbacks, ...secret, ...env }), [name]);
      });
    }

    it('keeps redirect URIs as they were typed', () => {
      const config = parseConfig({
        ...production,
        BROWSER_UI_CLIENT_SECRET: 'q8Zr2LwT5xVb9NyK',
        BROWSER_UI_REDIRECT_URIS: 'https://WWW.example.com/callback, http://127.0.0.1:5000/callback?a=b',
      });
      assert.deepEqual(config.browserUi?.redirectUris, [
        'https://WWW.example.com/callback',
        'http://127.0.0.1:5000/callback?a=b',
      ]);
    });

    const misspelt: [string, string][] = [
      ['JWT_EXPIRATION_MINUTE', 'JWT_EXPIRATION_MINUTES'],
      ['KEY_RETIREMENT_DAYS', 'KEY_RETIRE_DAYS'],
      ['JWT_SECRET', 'JWT_SECRET_KEY'],
      ['COOKIE_SECRETS', 'COOKIE_SECRET'],
      ['ENCRYPTION_KEYS', 'ENCRYPTION_KEY'],
      ['LOGGING_BACKEND_URI', 'LOGGING_BACKEND_URL'],
      ['BROWSER_UI_SECRET', 'BROWSER_UI_CLIENT_SECRET'],
      ['OIDC_FEATURE', 'OIDC_FEATURES'],
      ['INSTALLATION_COLOUR', 'INSTALLATION_COLOR'],
      ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
      ['PUBLIC_URI', 'PUBLIC_URL'],
      ['DATABASE_URLS', 'DATABASE_URL'],
      ['IDENTITY_SUBJ', 'IDENTITY_SUB'],
    ];
    for (const [name, meant] of misspelt) {
      it(`is refused with ${name}, and suggests ${meant}`, () => {
        const { problems } = refusal({ ...production, [name]: 'canary-value' });
        assert.deepEqual(problems, [`${name}: must be a known name, perhaps ${meant}, got an unknown one`]);
      });
    }

    it('lets variables of platforms and neighbours be', () => {
      const foreign = [
        ...['PATH', 'HOSTNAME', 'DYNO', 'PASSENGER_APP_ENV', 'WEBSITE_SITE_NAME', 'LOGLEVEL', 'NODE_OPTIONS'],
        ...['IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'DATABASE_CONNECTION_POOL_URL', 'FLASK_APP', 'FLASK_ENV'],
        ...['LOGGING_BACKEND_SERVICE_HOST', 'LOGGING_BACKEND_SERVICE_PORT_HTTP', 'LOGGING_BACKEND_PORT'],
        ...['LOGGING_BACKEND_PORT_5001_TCP', 'LOGGING_BACKEND_PORT_5001_TCP_ADDR'],
      ];
      parseConfig({ ...production, ...Object.fromEntries(foreign.map((name) => [name, 'x'])) });
    });
  });

  describe('issuers', () => {
    const accepted: [string, Env, string, string][] = [
      ['a URL as JWT_ISSUER', { JWT_ISSUER: 'https://a.example' }, 'https://a.example', 'https://a.example'],
      [
        'a path prefix',
        { JWT_ISSUER: 'https://a.example/identity-backend' },
        'https://a.example/identity-backend',
        'https://a.example/identity-backend',
      ],
      ['a port', { JWT_ISSUER: 'https://a.example:8443' }, 'https://a.example:8443', 'https://a.example:8443'],
      [
        'both equal',
        { JWT_ISSUER: 'https://a.example/x', PUBLIC_URL: 'https://a.example/x' },
        'https://a.example/x',
        'https://a.example/x',
      ],
      [
        'a plain name and PUBLIC_URL',
        { JWT_ISSUER: 'identity-backend', PUBLIC_URL: 'https://a.example' },
        'https://a.example',
        'identity-backend',
      ],
    ];
    for (const [what, env, issuer, sharedSecretIssuer] of accepted) {
      it(`may be ${what}`, () => {
        const config = parseConfig({ ...production, ...env });
        assert.deepEqual([config.issuer, config.sharedSecretIssuer], [issuer, sharedSecretIssuer]);
      });
    }

    const bad = [
      'http://id.example.com',
      'http://localhost:3000',
      'ftp://id.example.com',
      'https://',
      'https://id.example.com/',
      'https://id.example.com/prefix/',
      'https://id.example.com//prefix',
      'https://id.example.com?x=1',
      'https://id.example.com?',
      'https://id.example.com#x',
      'https://id.example.com#',
      'https://user:hunter22@id.example.com',
      'https://user@id.example.com',
      'https://ID.example.com',
      'https://id.example.com:443',
      'https://id.example.com/a/../b',
      'https://id.example.com/a;b',
      'https://id.example.com/%61',
      'https:\\\\id.example.com',
      ' https://id.example.com',
      'https://id.example.com ',
      'https://id.example.com\n',
    ];
    for (const url of bad) {
      it(`may not be ${JSON.stringify(url)} (RFC 8414 §2)`, () => {
        assert.deepEqual(refused({ ...production, JWT_ISSUER: url }), ['JWT_ISSUER']);
        const both = refused({ ...production, JWT_ISSUER: 'identity-backend', PUBLIC_URL: url });
        assert.deepEqual(both, ['PUBLIC_URL']);
        assert.ok(!refusal({ ...production, JWT_ISSUER: url }).message.includes('hunter22'));
      });
    }

    for (const name of ['id.example.com/prefix', 'localhost:3000', ' name', 'name ', 'a\nb', 'n'.repeat(256)]) {
      it(`may not be the plain name ${JSON.stringify(name.slice(0, 30))} (RFC 7519 §2)`, () => {
        assert.deepEqual(refused({ ...production, PUBLIC_URL: 'https://a.example', JWT_ISSUER: name }), ['JWT_ISSUER']);
      });
    }

    it('are both reported when one is missing and the other wrong', () => {
      const env = { ...production, JWT_ISSUER: undefined, PUBLIC_URL: 'http://id.example.com' };
      assert.deepEqual(refused(env), ['PUBLIC_URL', 'JWT_ISSUER']);
    });

    it('may not be two different URLs', () => {
      assert.deepEqual(refused({ ...production, PUBLIC_URL: 'https://other.example.com' }), ['PUBLIC_URL']);
    });

    it('need PUBLIC_URL when JWT_ISSUER is a plain name, in production', () => {
      assert.deepEqual(refused({ ...production, JWT_ISSUER: 'identity-backend' }), ['PUBLIC_URL']);
      const config = parseConfig({ ...development, JWT_ISSUER: 'identity-backend', PORT: '3111' });
      assert.equal(config.issuer, 'http://localhost:3111');
      assert.equal(config.sharedSecretIssuer, 'identity-backend');
    });

    for (const url of ['http://localhost:3000', 'http://127.0.0.1', 'http://[::1]:3000/x', 'http://id.localhost']) {
      it(`may be ${url} in development and not in production`, () => {
        assert.equal(parseConfig({ ...development, PUBLIC_URL: url }).issuer, url);
        assert.deepEqual(refused({ ...production, JWT_ISSUER: url }), ['JWT_ISSUER']);
      });
    }

    it('may not be http for another machine, even in development', () => {
      assert.deepEqual(refused({ ...development, PUBLIC_URL: 'http://id.example.com' }), ['PUBLIC_URL']);
    });
  });

  describe('of every installation', () => {
    const values: [string, string, keyof Config, unknown][] = [
      ['JWT_EXPIRATION_MINUTES', '1440', 'accessTokenLifetime', 86_400],
      ['JWT_EXPIRATION_MINUTES', '1', 'accessTokenLifetime', 60],
      ['KEY_PUBLISH_DAYS', '1', 'keySchedule', { publish: 86_400, sign: 90 * 86_400, retire: 14 * 86_400 }],
      ['KEY_SIGN_DAYS', '30', 'keySchedule', { publish: 14 * 86_400, sign: 30 * 86_400, retire: 14 * 86_400 }],
      ['KEY_RETIRE_DAYS', '2', 'keySchedule', { publish: 14 * 86_400, sign: 90 * 86_400, retire: 2 * 86_400 }],
      ['CLOCK_SKEW_SECONDS', '0', 'clockSkew', 0],
      ['CLOCK_SKEW_SECONDS', '60', 'clockSkew', 60],
      ['WEB_CONCURRENCY', '64', 'workers', 64],
      ['PORT', '0', 'port', 0],
      ['PORT', '65535', 'port', 65_535],
      ['HOST', '::1', 'host', '::1'],
      ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
      ['LOG_LEVEL', 'WARN', 'logLevel', 'warn'],
      ['TRUSTED_PROXIES', '127.0.0.1, 10.0.0.0/8,fd00::/8', 'trustedProxies', ['127.0.0.1', '10.0.0.0/8', 'fd00::/8']],
      ['DATABASE_URL', 'sqlite:/var/lib/id.db', 'database', { engine: 'sqlite', path: '/var/lib/id.db' }],
      ['DATABASE_URL', database('p w'), 'database', { engine: 'postgres', url: database('p w') }],
      ['DATABASE_URL', 'postgresql://db/id', 'database', { engine: 'postgres', url: 'postgresql://db/id' }],
      ['LOGGING_BACKEND_URL', 'https://logs.example.com/x/', 'loggingBackendUrl', 'https://logs.example.com/x'],
      ['LOGGING_BACKEND_URL', 'http://localhost:5001', 'loggingBackendUrl', 'http://localhost:5001'],
      ['INSTALLATION_NAME', 'Müller & Söhne', 'installation', { name: 'Müller & Söhne' }],
      [
        'INSTALLATION_LOGO_URL',
        'https://www.example.com/logo.svg?v=2',
        'installation',
        { name: 'id.example.com', logoUrl: 'https://www.example.com/logo.svg?v=2' },
      ],
      ['INSTALLATION_COLOR', '#1A73e8', 'installation', { name: 'id.example.com', color: '#1a73e8' }],
      ['INSTALLATION_COLOR', '1a73e8', 'installation', { name: 'id.example.com', color: '#1a73e8' }],
      ['LOGGING_BACKEND_AUD', 'log', 'loggingBackendAud', 'log'],
      ['IDENTITY_SUB', 'idp', 'identitySub', 'idp'],
      ['OIDC_FEATURES', 'device, jarm', 'features', new Set(['device', 'jarm'])],
      [
        'OIDC_FEATURES',
        'open-registration,open-registration',
        'features',
        new Set(['open-registration', 'registration']),
      ],
    ];
    for (const [name, text, key, value] of values) {
      it(`reads ${name}=${text}`, () => {
        assert.deepEqual(parseConfig({ ...production, [name]: text })[key], value);
      });
    }

    const outside: [string, string[]][] = [
      ['KEY_PUBLISH_DAYS', ['0', '366', 'two weeks']],
      ['KEY_SIGN_DAYS', ['0', '3651']],
      ['KEY_RETIRE_DAYS', ['0', '1', '366']],
      ['JWT_EXPIRATION_MINUTES', ['0', '1441', '-5', '1.5', '15m', '1e2', '0x10', ' 15', 'NaN']],
      ['CLOCK_SKEW_SECONDS', ['61', '-1', '15 s']],
      ['WEB_CONCURRENCY', ['0', '65', 'auto']],
      ['PORT', ['65536', '-1', 'http', '/run/identity.sock']],
      ['HOST', ['http://localhost', 'a b', ':::']],
      ['LOG_LEVEL', ['verbose', 'info ']],
      ['TRUSTED_PROXIES', ['10', '127.1', '10.0.0.0/33', 'proxy.example.com', '127.0.0.1,', 'all']],
      [
        'DATABASE_URL',
        ['mysql://a@b/c', 'data/identity.db', 'sqlite:', 'sqlite://x.db', 'sqlite::memory:', 'postgres://'],
      ],
      [
        'LOGGING_BACKEND_URL',
        ['http://logs.example.com', 'logs.example.com', 'https://u:p@logs.example.com', 'https://l?x'],
      ],
      ['INSTALLATION_NAME', [' ', 'a\nb', 'a'.repeat(65), 'a\u202eb']],
      [
        'INSTALLATION_LOGO_URL',
        [
          'http://www.example.com/logo.svg',
          'logo.svg',
          'data:image/svg+xml,x',
          'https://u:p@www.example.com/',
          'https://[::1]/logo.svg',
          'https://a;script-src.example/',
        ],
      ],
      ['INSTALLATION_COLOR', ['teal', '#0f6', '#0f615g', '#0f615700', '#0f6157;']],
      ['LOGGING_BACKEND_AUD', [' ', 'a\nb', 'a'.repeat(256)]],
      ['IDENTITY_SUB', [' idp', 'a\u0000b']],
      ['OIDC_FEATURES', ['Device', 'everything', 'device;jarm']],
    ];
    for (const [name, texts] of outside) {
      for (const text of texts) {
        it(`refuses ${name}=${JSON.stringify(text.slice(0, 40))}`, () => {
          assert.deepEqual(refused({ ...production, [name]: text }), [name]);
        });
      }
    }

    for (const [word, value] of Object.entries({ 1: true, true: true, YES: true, on: true, 0: false, false: false })) {
      it(`reads ALLOW_UNAUTHENTICATED_TOKENS=${word} as ${value} in development`, () => {
        const config = parseConfig({ ...development, ALLOW_UNAUTHENTICATED_TOKENS: word });
        assert.equal(config.allowUnauthenticatedTokens, value);
      });
    }

    it('never gives tokens without credentials at an issuer that others can reach', () => {
      const env = { ...development, PUBLIC_URL: 'https://id.example.com', ALLOW_UNAUTHENTICATED_TOKENS: 'true' };
      assert.deepEqual(refused(env), ['ALLOW_UNAUTHENTICATED_TOKENS']);
      assert.equal(parseConfig({ ...env, PUBLIC_URL: 'https://localhost:3443' }).allowUnauthenticatedTokens, true);
    });

    it('opens registration in production only when asked twice, or at a test name', () => {
      const once = { ...production, OIDC_FEATURES: 'open-registration,device' };
      assert.deepEqual(refused(once), ['OIDC_FEATURES']);
      for (const env of [
        { ...once, JWT_ISSUER: 'https://op.test' },
        { ...development, OIDC_FEATURES: 'open-registration' },
      ]) {
        assert.ok(parseConfig(env).features.has('open-registration'));
      }
    });

    it('takes FLASK_SECRET_KEY as the old name of COOKIE_SECRET', () => {
      assert.deepEqual(parseConfig(oldName).cookieSecrets, [secretFor('cookie')]);
      assert.deepEqual(parseConfig({ ...oldName, ...production }).cookieSecrets, [secretFor('cookie')]);
      assert.deepEqual(refused({ ...production, FLASK_SECRET_KEY: secretFor('other') }), ['FLASK_SECRET_KEY']);
    });

    it('has in development a demo account with any password, and a browser client with any secret', () => {
      const config = parseConfig({
        ...development,
        DEMO_USERNAME: 'u',
        DEMO_PASSWORD: 'p',
        BROWSER_UI_CLIENT_SECRET: 'dev-client-secret-default',
      });
      assert.deepEqual(config.demoAccount, { username: 'u', password: 'p' });
      assert.deepEqual(config.browserUi, {
        clientSecret: 'dev-client-secret-default',
        redirectUris: ['http://localhost:5000/callback'],
      });
      assert.equal(config.host, '127.0.0.1');
      assert.deepEqual(refused({ ...development, DEMO_USERNAME: 'u' }), ['DEMO_PASSWORD']);
      assert.deepEqual(refused({ ...development, DEMO_PASSWORD: 'p' }), ['DEMO_USERNAME']);
    });

    for (const name of ['COOKIE_SECRET', 'JWT_SECRET_KEY', 'ENCRYPTION_KEY']) {
      it(`has one rule for ${name}: development refuses a short one too`, () => {
        assert.deepEqual(refused({ ...development, [name]: 'q8Zr2LwT5xVb9NyK' }), [name]);
        assert.deepEqual(refused({ ...development, [name]: undefined }), [name]);
      });
    }

    it('is frozen to the last element', () => {
      const config = parseConfig({ ...production, ...callbacks, BROWSER_UI_CLIENT_SECRET: secretFor('client') });
      for (const part of [config, config.jwtSecrets, config.database, config.trustedProxies]) {
        assert.ok(Object.isFrozen(part));
      }
      assert.ok(Object.isFrozen(config.browserUi) && Object.isFrozen(config.browserUi?.redirectUris));
    });
  });

  describe('an upstream', () => {
    const google = { UPSTREAM_GOOGLE_CLIENT_ID: 'us', UPSTREAM_GOOGLE_CLIENT_SECRET: 'from-them' };
    const other = { UPSTREAM_OIDC_CLIENT_ID: 'us', UPSTREAM_OIDC_CLIENT_SECRET: 'from-them' };
    const microsoft = { UPSTREAM_MICROSOFT_CLIENT_ID: 'us', UPSTREAM_MICROSOFT_CLIENT_SECRET: 'from-them' };

    it('is offered when its client id and secret are set', () => {
      const issuer = 'https://login.example.org';
      const env = { ...production, ...other, ...microsoft, ...google, UPSTREAM_OIDC_ISSUER: issuer };
      const registered = { clientId: 'us', clientSecret: 'from-them' };
      assert.deepEqual(parseConfig({ ...env, UPSTREAM_OIDC_NAME: 'Example Login' }).upstreams, [
        { id: 'google', label: 'Google', ...registered },
        { id: 'microsoft', label: 'Microsoft', ...registered, issuer: 'https://login.microsoftonline.com/common/v2.0' },
        { id: 'oidc', label: 'Example Login', ...registered, issuer },
      ]);
    });

    const bad: [string, Env, string][] = [
      ['no secret', { UPSTREAM_GITHUB_CLIENT_ID: 'us' }, 'UPSTREAM_GITHUB_CLIENT_SECRET'],
      ['no client id', { UPSTREAM_GOOGLE_CLIENT_SECRET: 'from-them' }, 'UPSTREAM_GOOGLE_CLIENT_ID'],
      ['no issuer', other, 'UPSTREAM_OIDC_ISSUER'],
      [
        'an issuer that is not https',
        { ...other, UPSTREAM_OIDC_ISSUER: 'http://login.example.org' },
        'UPSTREAM_OIDC_ISSUER',
      ],
      ['a tenant with a path', { ...microsoft, UPSTREAM_MICROSOFT_TENANT: 'common/../x' }, 'UPSTREAM_MICROSOFT_TENANT'],
      ['the word of Microsoft', { ...microsoft, UPSTREAM_LINK_BY_EMAIL: 'microsoft' }, 'UPSTREAM_LINK_BY_EMAIL'],
      ['a misspelt part', { ...google, UPSTREAM_GOOGLE_SECRET: 'x' }, 'UPSTREAM_GOOGLE_SECRET'],
    ];
    for (const [what, env, name] of bad) {
      it(`is refused with ${what}`, () => {
        assert.deepEqual(refused({ ...production, ...env }), [name]);
      });
    }
  });

  describe('mail', () => {
    const from = { MAIL_FROM: 'Example Accounts <accounts@example.com>' };
    const mailOf = (env: Env) => parseConfig({ ...env, ...from }).mail?.server;

    it('leaves by the server and from the mailbox that are named', () => {
      const env = { ...production, ...from, SMTP_URL: 'smtp://mailer%40example.com:p%2Fss-w%C3%B6rd@smtp.example.com' };
      assert.deepEqual(parseConfig(env).mail, {
        server: {
          host: 'smtp.example.com',
          port: 587,
          tls: 'required',
          credentials: { user: 'mailer@example.com', password: 'p/ss-wörd' },
        },
        from: { name: 'Example Accounts', address: 'accounts@example.com' },
      });
      assert.deepEqual(parseConfig({ ...env, MAIL_FROM: 'accounts@example.com' }).mail?.from, {
        address: 'accounts@example.com',
      });
      assert.equal(
        parseConfig({ ...env, MAIL_FROM: '"Example, Inc." <a@example.com>' }).mail?.from.name,
        'Example, Inc.',
      );
    });

    it('is protected by TLS in production, but for a server on this machine', () => {
      const tlsOf = (env: Env, url: string) => mailOf({ ...env, SMTP_URL: url })?.tls;
      assert.equal(tlsOf(production, 'smtp://smtp.example.com:25'), 'required');
      assert.equal(tlsOf(production, 'smtps://smtp.example.com'), 'implicit');
      assert.equal(mailOf({ ...production, SMTP_URL: 'smtps://smtp.example.com' })?.port, 465);
      for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
        assert.equal(tlsOf(production, `smtp://${host}:2525/`), 'none', host);
      }
      assert.equal(tlsOf(development, 'smtp://mailbox:1025'), 'offered');
    });

    const url = { SMTP_URL: 'smtp://smtp.example.com' };
    const bad: [string, Env, string][] = [
      ['a server and no sender', url, 'MAIL_FROM'],
      ['a sender and no server', from, 'SMTP_URL'],
      ['a server of another protocol', { ...from, SMTP_URL: 'https://smtp.example.com' }, 'SMTP_URL'],
      [
        'options behind the server',
        { ...from, SMTP_URL: 'smtp://h.example/?tls.rejectUnauthorized=false' },
        'SMTP_URL',
      ],
      ['a path behind the server', { ...from, SMTP_URL: 'smtp://h.example/a' }, 'SMTP_URL'],
      ['no server in the URL', { ...from, SMTP_URL: 'smtp://:587' }, 'SMTP_URL'],
      ['a user without a password', { ...from, SMTP_URL: 'smtp://user@h.example' }, 'SMTP_URL'],
      ['a sender with a line break', { ...url, MAIL_FROM: 'A\r\nBcc: b@example.com <a@example.com>' }, 'MAIL_FROM'],
      ['two senders', { ...url, MAIL_FROM: 'a@example.com, b@example.com' }, 'MAIL_FROM'],
      ['a sender that is no address', { ...url, MAIL_FROM: 'Example Accounts' }, 'MAIL_FROM'],
      ['sign-up that no letter can confirm', { ALLOW_SIGN_UP: 'true' }, 'SMTP_URL'],
      ['sign-up that is neither on nor off', { ...url, ...from, ALLOW_SIGN_UP: 'perhaps' }, 'ALLOW_SIGN_UP'],
      ['a misspelt sign-up', { ALLOW_SIGNUP: 'true' }, 'ALLOW_SIGNUP'],
      ['a misspelt server', { SMTP_URI: 'smtp://smtp.example.com' }, 'SMTP_URI'],
      [
        'the password of the database',
        { ...from, SMTP_URL: 'smtp://a:the-same@h.example', DATABASE_URL: database('the-same') },
        'SMTP_URL',
      ],
    ];
    for (const [what, env, name] of bad) {
      it(`is refused with ${what}`, () => {
        const names = refused({ ...production, ...env });
        assert.ok(names.includes(name), names.join(' '));
      });
    }

    it('of other programs is left alone', () => {
      parseConfig({
        ...production,
        SMTP_HOST: 'a',
        SMTP_USER: 'b',
        MAIL_HOST: 'c',
        MAIL_FROM_NAME: 'd',
        MAIL_PORT: '25',
      });
    });
  });

  describe('problems', () => {
    const canary = 'Zk3-canary-hV8';
    const everything: Env = {
      ...Object.fromEntries(VARIABLES.map(({ name, secret }) => [name, secret ? ` ${canary}` : ' '])),
      JWT_SECRIT_KEY: canary,
    };

    it('are reported all at once, in the order of the documentation', () => {
      const names = VARIABLES.map(({ name }) => name).filter((name) => name !== 'NODE_ENV');
      assert.deepEqual(refused(everything), [...names, 'JWT_SECRIT_KEY']);
    });

    it('stand one to a line in the message, as NAME: must …, got …', () => {
      const { message, problems } = refusal(everything);
      const [heading, ...lines] = message.split('\n');
      assert.match(heading ?? '', /production/);
      assert.deepEqual(
        lines,
        problems.map((problem) => `  ${problem}`),
      );
      for (const problem of problems) assert.match(problem, /^[A-Z_]+: must .+, got .+$/);
    });

    it('never contain the value of a secret', () => {
      const { message, problems, stack } = refusal(everything);
      for (const text of [message, stack ?? '', ...problems]) assert.ok(!text.includes(canary), text);
    });
  });

  describe('.env.example', () => {
    const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
    const lines = [...text.matchAll(/^(?:#)?([A-Z][A-Z0-9_]*)=(.*)$/gm)];
    const examples = Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value]));

    it('lists exactly the variables that are read, each once', () => {
      assert.deepEqual(lines.map(([, name]) => name).sort(), VARIABLES.map(({ name }) => name).sort());
    });

    it('has a comment above every variable', () => {
      for (const block of text.trim().split('\n\n').slice(1)) {
        assert.match(block, /^(# .+\n)+#?[A-Z_]+=.*$/, block);
      }
    });

    it('says which variables are for development only', () => {
      for (const { name, developmentOnly } of VARIABLES) {
        const block = text.split('\n\n').find((part) => new RegExp(`^#?${name}=`, 'm').test(part)) ?? '';
        assert.equal(block.includes('# Development only'), developmentOnly, name);
      }
    });

    it('contains no secret, and nothing in it starts a production installation', () => {
      for (const { name, secret } of VARIABLES) {
        if (secret && name !== 'DATABASE_URL') assert.equal(examples[name], '', name);
      }
      const names = refused({ ...examples, NODE_ENV: 'production' });
      for (const name of ['COOKIE_SECRET', 'JWT_SECRET_KEY', 'ENCRYPTION_KEY', 'DEMO_USERNAME']) {
        assert.ok(names.includes(name), name);
      }
      assert.ok(refused(parse(text)).length > 0);
    });

    it('gives examples that development accepts', () => {
      const { DEMO_USERNAME: _, ...rest } = examples;
      const config = parseConfig({ ...rest, ...development, JWT_ISSUER: examples['JWT_ISSUER'] });
      assert.equal(config.loggingBackendUrl, examples['LOGGING_BACKEND_URL']);
    });
  });
});

describe('app.js', () => {
  it('refuses a Node older than 24 in one clear line, before anything is loaded', () => {
    const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.12.0' } })";
    const file = fileURLToPath(new URL('../app.js', import.meta.url));
    const run = spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(older)}`, file], {
      encoding: 'utf8',
      env: {},
      timeout: 10_000,
    });
    assert.equal(run.status, 1);
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /^identity-backend needs Node 24 or newer, but this is Node 22\.12\.0 \(.+\)\.\n$/);
  });
});
