// Which password an account has, as something that can be kept and compared.
import { hash } from 'node:crypto';
import type { Account } from '../store.ts';

/** Another one after every change of the password, and when its hash is replaced; tells nothing about it. */
export function passwordStateOf({ passwordHash = '' }: Pick<Account, 'passwordHash'>): string {
  return hash('sha256', passwordHash, 'base64url');
}
