// `identity client` and `identity resource-server`, run for real on a database of its own.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInstallation, type Installation } from './run.ts';

const service = ['--grant-type', 'client_credentials'];
const redirect = ['--redirect-uri', 'https://web.example/callback'];

describe('identity client', () => {
  let installation: Installation;

  beforeEach(() => {
    installation = createInstallation();
  });

  afterEach(() => {
    installation[Symbol.dispose]();
  });

  it('adds a service as the documentation says, with its secret in JSON', async () => {
    const argv = ['client', 'add', 'careergpt-backend', ...service, '--audience', 'logging-service', '--json'];
    const { code, json } = await installation.run(argv);
    assert.equal(code, 0);
    const { client_secret, client_id_issued_at, ...members } = json();
    assert.match(String(client_secret), /^[\w-]{43}$/);
    assert.ok(Math.abs(Number(client_id_issued_at) - Date.now() / 1000) < 60);
    assert.deepEqual(members, {
      client_id: 'careergpt-backend',
      client_secret_expires_at: 0,
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
      audiences: { 'logging-service': null },
    });
  });

  it('adds a web application as the documentation says, and prints its secret once', async () => {
    const argv = ['client', 'add', 'web', ...redirect, '--post-logout-redirect-uri', 'https://web.example/'];
    const { code, stdout } = await installation.run(argv);
    assert.equal(code, 0);
    const [, secret = ''] = /^client_id +web\nclient_secret +([\w-]{43})\nThe secret is shown/.exec(stdout) ?? [];
    assert.notEqual(secret, '');
    const shown = await installation.run(['client', 'show', 'web', '--json']);
    assert.deepEqual(shown.json()['redirect_uris'], ['https://web.example/callback']);
    assert.deepEqual(shown.json()['post_logout_redirect_uris'], ['https://web.example/']);
    assert.deepEqual(shown.json()['grant_types'], ['authorization_code', 'refresh_token']);
    assert.equal(shown.stdout.includes(secret), false);
    for (const file of readdirSync(join(installation.folder, 'data'))) {
      assert.equal(readFileSync(join(installation.folder, 'data', file)).includes(secret), false, file);
    }
  });

  it('turns every option into client metadata (RFC 7591 §2)', async () => {
    const options = {
      '--redirect-uri': 'https://web.example/other',
      '--scope': 'openid email',
      '--name': 'The web',
      '--client-uri': 'https://web.example/',
      '--logo-uri': 'https://web.example/logo.png',
      '--policy-uri': 'https://web.example/policy',
      '--tos-uri': 'https://web.example/terms',
      '--auth-method': 'private_key_jwt',
      '--backchannel-logout-uri': 'https://web.example/logout',
      '--jwks-uri': 'https://web.example/jwks',
      '--metadata': '{"default_max_age":60,"client_name":"overruled"}',
    };
    const argv = ['client', 'add', 'web', ...redirect, ...Object.entries(options).flat(), '--first-party'];
    const { code, json } = await installation.run([...argv, '--no-require-pkce', '--json']);
    assert.equal(code, 0);
    const { client_id_issued_at: _, ...members } = json();
    assert.deepEqual(members, {
      client_id: 'web',
      redirect_uris: ['https://web.example/callback', 'https://web.example/other'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid email',
      client_name: 'The web',
      client_uri: 'https://web.example/',
      logo_uri: 'https://web.example/logo.png',
      policy_uri: 'https://web.example/policy',
      tos_uri: 'https://web.example/terms',
      token_endpoint_auth_method: 'private_key_jwt',
      backchannel_logout_uri: 'https://web.example/logout',
      jwks_uri: 'https://web.example/jwks',
      default_max_age: 60,
      first_party: true,
      require_pkce: false,
      audiences: {},
    });
  });

  it('gives a public client no secret', async () => {
    const { stdout } = await installation.run(['client', 'add', 'app', ...redirect, '--public']);
    assert.equal(stdout, 'client_id      app\n');
    assert.equal((await installation.run(['client', 'add-secret', 'app', 'next'])).code, 1);
  });

  it('grants audiences whole, in part, and as URIs', async () => {
    await installation.run(['resource-server', 'add', 'https://api.example/?v=1', '--scope', 'read write']);
    const audiences = ['--audience', 'logging-service=logs:write,logs:read', '--audience', 'https://api.example/?v=1'];
    const { json } = await installation.run(['client', 'add', 'worker', ...service, ...audiences, '--json']);
    assert.deepEqual(json()['audiences'], {
      'logging-service': 'logs:write logs:read',
      'https://api.example/?v=1': null,
    });
    const part = ['--audience', 'https://api.example/?v=1=read'];
    const other = await installation.run(['client', 'add', 'reader', ...service, ...part, '--json']);
    assert.deepEqual(other.json()['audiences'], { 'https://api.example/?v=1': 'read' });
  });

  it('takes a default audience and claims for the tokens of the client', async () => {
    const audiences = ['--audience', 'logging-service', '--default-audience', 'logging-service'];
    const claims = ['--claim-in-token', 'team=billing', '--claim-in-token', 'tier=3', '--claim-in-token', 'x=a=b'];
    const { json } = await installation.run(['client', 'add', 'worker', ...service, ...audiences, ...claims, '--json']);
    assert.equal(json()['default_audience'], 'logging-service');
    assert.deepEqual(json()['access_token_claims'], { team: 'billing', tier: 3, x: 'a=b' });
  });

  const presets: [argv: string[], issuer: string, subject: string][] = [
    [
      ['--preset', 'github-actions', '--repository', 'org/app', '--ref', 'refs/heads/main'],
      'https://token.actions.githubusercontent.com',
      'repo:org/app:ref:refs/heads/main',
    ],
    [
      ['--preset', 'gitlab-ci', '--project', 'group/app', '--ref', 'main'],
      'https://gitlab.com',
      'project_path:group/app:ref_type:branch:ref:main',
    ],
    [
      ['--preset', 'kubernetes', '--issuer', 'https://k8s.example', '--namespace', 'shop', '--service-account', 'api'],
      'https://k8s.example',
      'system:serviceaccount:shop:api',
    ],
    [
      ['--issuer', 'https://ci.example', '--subject', 'a:b', '--claim', 'env=prod', '--audience', 'here'],
      'https://ci.example',
      'a:b',
    ],
  ];
  it('lets platforms vouch for a client, in one line each, and takes it back', async () => {
    const added = await installation.run(['client', 'add', 'ci', ...service, '--auth-method', 'workload_identity']);
    assert.equal(added.stdout, 'client_id      ci\n');
    for (const [index, [argv, issuer, subject]] of presets.entries()) {
      const { code, json, stderr } = await installation.run(['client', 'trust', 'ci', ...argv, '--json']);
      assert.equal(code, 0, stderr);
      const { name, issuer: kept, subject: sub } = json();
      assert.deepEqual([name, kept, sub], [String(index + 1), issuer, subject]);
    }
    assert.equal((await installation.run(['client', 'untrust', 'ci', '2'])).stdout, 'removed the trust rule 2 of ci\n');
    const { trusted_issuers: rules } = (await installation.run(['client', 'show', 'ci', '--json'])).json();
    assert.deepEqual(
      (rules as { name: string }[]).map(({ name }) => name),
      ['1', '3', '4'],
    );
  });

  it('rotates secrets by name', async () => {
    await installation.run(['client', 'add', 'web', ...redirect]);
    const added = await installation.run(['client', 'add-secret', 'web', '2027', '--expires-in', '3600', '--json']);
    const { client_secret, client_secret_expires_at, ...members } = added.json();
    assert.match(String(client_secret), /^[\w-]{43}$/);
    assert.ok(Math.abs(Number(client_secret_expires_at) - Date.now() / 1000 - 3600) < 60);
    assert.deepEqual(members, { client_id: 'web', name: '2027' });
    const removed = await installation.run(['client', 'remove-secret', 'web', 'first']);
    assert.equal(removed.stdout, 'removed the secret first of web\n');
    const { secrets } = (await installation.run(['client', 'show', 'web', '--json'])).json();
    assert.deepEqual(
      (secrets as { name: string }[]).map(({ name }) => name),
      ['2027'],
    );
  });

  it('lists clients, the configured one too, and removes them', async () => {
    await installation.run(['client', 'add', 'worker', ...service, '--audience', 'logging-service']);
    const { stdout } = await installation.run(['client', 'list']);
    assert.match(stdout, /^browser-ui +built in +authorization_code refresh_token +logging-service$/m);
    assert.match(stdout, /^worker +20\d\d-\S+ +client_credentials +logging-service$/m);
    assert.equal((await installation.run(['client', 'remove', 'worker'])).stdout, 'removed worker\n');
    const { clients } = (await installation.run(['client', 'list', '--json'])).json();
    assert.deepEqual(
      (clients as { client_id: string }[]).map(({ client_id }) => client_id),
      ['account', 'browser-ui'],
    );
  });

  for (const [name, argv, message] of [
    ['an audience that is not registered', ['add', 'x', ...service, '--audience', 'mail'], /no resource server mail/],
    ['a scope that it does not know', ['add', 'x', ...service, '--audience', 'logging-service=rm'], /no scope rm; it/],
    ['no redirect URI and no grant type', ['add', 'x'], /needs a redirect URI or a grant type/],
    ['a redirect URI without TLS', ['add', 'x', '--redirect-uri', 'http://web.example/'], /must use https/],
    [
      'a default audience that is not granted',
      ['add', 'x', ...service, '--default-audience', 'mail'],
      /must be one of/,
    ],
    ['a registered claim', ['add', 'x', ...service, '--claim-in-token', 'sub=root'], /must not set sub/],
    ['trust without a condition', ['trust', 'web', '--issuer', 'https://ci.example'], /narrow each rule down/],
    [
      'trust in whatever',
      ['trust', 'web', '--issuer', 'https://ci.example', '--subject', '*'],
      /subject that is exact/,
    ],
    ['trust in nobody', ['trust', 'web', '--subject', 'a:b'], /--issuer or --preset/],
    ['a preset without its facts', ['trust', 'web', '--preset', 'kubernetes'], /needs --issuer/],
    [
      'trust for an unknown client',
      ['trust', 'x', '--issuer', 'https://ci.example', '--subject', 'a:b'],
      /no client x/,
    ],
    ['to remove an unknown rule', ['untrust', 'web', '1'], /no client web with a trust rule 1/],
    ['a client id like an account', ['add', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', ...redirect], /like a UUID/],
    ['a client id that is taken', ['add', 'web', ...redirect], /client_id is already taken/],
    ['the configured client', ['add', 'browser-ui', ...redirect], /client_id is already taken/],
    ['to remove the configured client', ['remove', 'browser-ui'], /registered by the configuration/],
    ['to remove an unknown client', ['remove', 'nobody'], /no client nobody/],
    ['to show an unknown client', ['show', 'nobody'], /no client nobody/],
    ['a secret for an unknown client', ['add-secret', 'nobody', 'next'], /no client nobody/],
    ['a secret name that is taken', ['add-secret', 'web', 'first'], /secret name is already taken/],
    ['to remove an unknown secret', ['remove-secret', 'web', 'second'], /no client web with a secret second/],
  ] as const) {
    it(`refuses ${name} with one line and exit code 1`, async () => {
      await installation.run(['client', 'add', 'web', ...redirect]);
      const { code, stdout, stderr } = await installation.run(['client', ...argv]);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.match(stderr, /^identity: [^\n]+\n$/);
    });
  }
});

describe('identity resource-server', () => {
  let installation: Installation;

  beforeEach(() => {
    installation = createInstallation();
  });

  afterEach(() => {
    installation[Symbol.dispose]();
  });

  it('registers the log service anew as the documentation says', async () => {
    const argv = ['resource-server', 'add', 'logging-service', '--scope', 'logs:write logs:read', '--alg', 'HS256'];
    const { code, stdout } = await installation.run(argv);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'added logging-service, signed with HS256\n' });
    assert.equal((await installation.run(argv)).code, 1);
  });

  it('shows, lists and removes in wire names', async () => {
    await installation.run(['resource-server', 'add', 'mail', '--scope', 'send', '--expires-in', '60']);
    const { created_at, ...members } = (await installation.run(['resource-server', 'show', 'mail', '--json'])).json();
    assert.deepEqual(members, { audience: 'mail', scope: 'send', alg: 'ES256', expires_in: 60 });
    assert.equal(typeof created_at, 'number');
    const listed = await installation.run(['resource-server', 'list']);
    assert.match(listed.stdout, /^logging-service +HS256 +built in +logs:write logs:read$/m);
    assert.match(listed.stdout, /^mail +ES256 +20\d\d-\S+ +send$/m);
    assert.equal((await installation.run(['resource-server', 'remove', 'mail'])).stdout, 'removed mail\n');
    assert.equal((await installation.run(['resource-server', 'show', 'mail'])).code, 1);
    assert.equal((await installation.run(['resource-server', 'remove', 'mail'])).code, 1);
  });

  for (const [name, argv, code] of [
    ['an unknown algorithm', ['api', '--alg', 'none'], 2],
    ['a lifetime that is no number', ['api', '--expires-in', 'soon'], 2],
    ['a lifetime beyond a day', ['api', '--expires-in', '86401'], 1],
    ['a fragment', ['https://api.example/#x'], 1],
    ['a scope of OpenID Connect', ['api', '--scope', 'openid'], 1],
  ] as const) {
    it(`refuses ${name} with exit code ${code}`, async () => {
      const outcome = await installation.run(['resource-server', 'add', ...argv]);
      assert.equal(outcome.code, code);
      assert.equal(outcome.stdout, '');
      assert.notEqual(outcome.stderr, '');
    });
  }
});
