// The one spelling under which a username or e-mail address is looked up and counted.

/**
 * The canonical spelling of what somebody types as their login: upper and lower case, full and half width, composed and
 * decomposed letters, and runs of white space all meet (security.md R50). Idempotent.
 */
export function loginKey(login: string): string {
  // The way through upper case unites what lower case alone keeps apart (final sigma, sharp s): full case folding.
  const folded = login.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
  return folded.replace(/\s+/g, ' ').trim();
}
