// Which trust rules are narrow enough to be one, and what the presets stand for.
import assert from 'node:assert/strict';
import { type PresetFacts, presetConditions } from '../../src/clients/trust-presets.ts';
import { findTrustFault } from '../../src/clients/trust-rules.ts';

const issuer = 'https://token.actions.example';
const github = 'https://token.actions.githubusercontent.com';

describe('a trust rule', () => {
  const accepted: [name: string, rule: object][] = [
    ['a subject', { issuer, subject: 'repo:org/app:ref:refs/heads/main' }],
    ['a subject that ends with * after two parts', { issuer, subject: 'repo:org/*' }],
    ['a claim', { issuer, claims: { project_id: '7' } }],
    ['a claim that ends with *', { issuer, claims: { repository: 'org/*' } }],
    [
      'the repository at a public issuer',
      { issuer: github, claims: { repository: 'org/app', ref: 'refs/heads/main' } },
    ],
    ['an issuer with a path', { issuer: 'https://gitlab.example/oidc', subject: 'a:b' }],
  ];
  for (const [name, rule] of accepted) {
    it(`may have ${name}`, () => assert.equal(findTrustFault([{ name: '1', ...rule }]), undefined));
  }

  const refused: [name: string, rule: object, fault: RegExp][] = [
    ['no condition', { issuer }, /narrow each rule down/],
    ['an audience as its only condition', { issuer, audience: 'x' }, /narrow each rule down/],
    ['no claims', { issuer, claims: {} }, /narrow each rule down/],
    ['an empty subject', { issuer, subject: '' }, /subject/],
    ['* as the subject', { issuer, subject: '*' }, /subject/],
    ['* after one part', { issuer, subject: 'repo:*' }, /subject/],
    ['* after nothing', { issuer, subject: '::*' }, /subject/],
    ['* within a word', { issuer, subject: 'repo:org/app*' }, /subject/],
    ['* in the middle', { issuer, subject: 'repo:*:ref:refs/heads/main' }, /subject/],
    ['two *', { issuer, subject: 'repo:org/*/*' }, /subject/],
    ['* as a claim', { issuer, claims: { repository: '*' } }, /claim repository/],
    ['a claim that is no text', { issuer, claims: { run: 7 } }, /claim run/],
    ['the audience among the claims', { issuer, claims: { aud: 'x' } }, /no use for aud/],
    ['the branch alone at a public issuer', { issuer: github, claims: { ref: 'refs/heads/main' } }, /whose workload/],
    ['no issuer', { subject: 'a:b' }, /issuer/],
    ['an issuer over http', { issuer: 'http://token.example', subject: 'a:b' }, /issuer/],
    ['an issuer with a query', { issuer: 'https://token.example/?a', subject: 'a:b' }, /issuer/],
    ['an issuer with a user name', { issuer: 'https://a@token.example', subject: 'a:b' }, /issuer/],
    ['a misspelt condition', { issuer, subject: 'a:b', claim: { a: 'b' } }, /knows no condition claim/],
  ];
  for (const [name, rule, fault] of refused) {
    it(`must not have ${name}`, () => assert.match(String(findTrustFault([{ name: '1', ...rule }])), fault));
  }

  it('has a name of its own', () => {
    const rule = { name: '1', issuer, subject: 'a:b' };
    assert.match(String(findTrustFault([rule, rule])), /different names/);
    assert.match(String(findTrustFault([{ ...rule, name: 'a b' }])), /name/);
    assert.match(String(findTrustFault({})), /list/);
  });

  const presets: [preset: string, facts: PresetFacts, subject: string][] = [
    ['github-actions', { repository: 'org/app', ref: 'refs/heads/main' }, 'repo:org/app:ref:refs/heads/main'],
    ['github-actions', { repository: 'org/app', environment: 'prod' }, 'repo:org/app:environment:prod'],
    ['gitlab-ci', { project: 'group/app', ref: 'main' }, 'project_path:group/app:ref_type:branch:ref:main'],
    ['gitlab-ci', { project: 'group/app', ref: 'refs/tags/v1' }, 'project_path:group/app:ref_type:tag:ref:v1'],
    ['kubernetes', { issuer, namespace: 'shop', serviceAccount: 'worker' }, 'system:serviceaccount:shop:worker'],
  ];
  for (const [preset, facts, subject] of presets) {
    it(`of the preset ${preset} is narrow, for ${subject}`, () => {
      const conditions = presetConditions(preset, facts);
      assert.equal(conditions.subject, subject);
      assert.equal(findTrustFault([{ name: '1', ...conditions }]), undefined);
      for (const missing of Object.keys(facts)) {
        assert.throws(() => presetConditions(preset, { ...facts, [missing]: undefined }), /needs --/);
      }
    });
  }
});
