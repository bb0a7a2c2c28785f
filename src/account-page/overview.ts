// The first page of the account page.
import type { AccountRequest, AccountSection } from './section.ts';

const TOPICS = ['password', 'authenticator', 'passkeys', 'sessions', 'applications', 'activity'] as const;

export const overview: AccountSection = ({ entry, get }) => {
  entry('/', ({ accountFrame }) => accountFrame.links.overview);
  get('/', show);
};

function show({ account: { username, claims }, texts, has, pathOf, show }: AccountRequest): void {
  const { account: words, accountFrame } = texts;
  const profile = { href: pathOf('/profile') };
  const { email, email_verified: isVerified } = claims;
  const shownEmail = email !== undefined && !isVerified ? words.unverified(email) : email;
  show('account', {
    facts: [
      { label: words.username, value: username },
      { label: words.name, value: claims.name ?? words.none, ...profile },
      { label: words.email, value: shownEmail ?? words.none, ...profile },
    ],
    topics: TOPICS.filter((topic) => has(`/${topic}`)).map((topic) => ({
      href: pathOf(`/${topic}`),
      label: accountFrame.links[topic],
      about: words.topics[topic],
    })),
  });
}
