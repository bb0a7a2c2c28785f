// A shell: both ends by curl, to try things out.
import { type Snippet, type SnippetFacts, shellWord } from './facts.ts';

/** Secrets go through standard input: the arguments of a process can be read by everybody on its machine. */
export function curl({ tokenEndpoint, verifyEndpoint, audience, clientId }: SnippetFacts): Snippet {
  const client = clientId === undefined ? '"$CLIENT_ID"' : shellWord(clientId);
  return {
    caller: `# Gets a token for ${audience}; CLIENT_SECRET comes from the environment.
TOKEN=$(printf 'user = "%s:%s"\\n' ${client} "$CLIENT_SECRET" |
  curl -sS --fail-with-body -K - ${shellWord(tokenEndpoint)} \\
    -d grant_type=client_credentials --data-urlencode audience=${shellWord(audience)} |
  sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
printf 'header = "Authorization: Bearer %s"\\n' "$TOKEN" | curl -sS -K - https://service.example/
`,
    verifier: `# Asks the issuer whether TOKEN is good for ${audience}: also whether it was revoked.
printf %s "$TOKEN" | curl -sS ${shellWord(verifyEndpoint)} --data-urlencode token@- --data-urlencode aud=${shellWord(audience)}
`,
  };
}
