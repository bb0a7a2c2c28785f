// What a new passkey is called until its owner says otherwise: by what keeps it, or by the browser that it came from.
import { isVisible } from './claim-values.ts';

/** By AAGUID (Web Authentication Level 3 §6.5.2): those that keep most passkeys. Nobody vouches for them. */
const KEEPERS: Readonly<Record<string, string>> = {
  'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4': 'Google Password Manager',
  'fbfc3007-154e-4ecc-8c0b-6e020557d7bd': 'Apple Passwords',
  'dd4ec289-e01d-41c9-bb89-70fa845d4bf2': 'Apple Passwords',
  '08987058-cadc-4b81-b6e1-30de50dcbe96': 'Windows Hello',
  '9ddd1817-af5a-4672-a2b9-3e3dd95000a9': 'Windows Hello',
  '6028b017-b1d4-4c02-b4b3-afcdafc96bb2': 'Windows Hello',
  '53414d53-554e-4700-0000-000000000000': 'Samsung Pass',
  'bada5566-a7aa-401f-bd96-45619a55120d': '1Password',
  'd548826e-79b4-db40-a3d8-11116f7e8349': 'Bitwarden',
  '50726f74-6f6e-5061-7373-50726f746f6e': 'Proton Pass',
  '531126d6-e717-415c-9320-3d9aa6981239': 'Dashlane',
  'fdb141b2-5d84-443e-8a35-4698c205a502': 'KeePassXC',
};

/** What an owner may call a passkey: up to 64 characters that can be seen; undefined when it is anything else. */
export function passkeyNameOf(value: unknown): string | undefined {
  const name = typeof value === 'string' ? value.trim().normalize('NFC') : '';
  return name !== '' && [...name].length <= 64 && isVisible(name) ? name : undefined;
}

/** @param browser that it came from, as its owner knows it; empty when nothing is known, and so may the answer be */
export function suggestedPasskeyName(aaguid: string, browser: string): string {
  return Object.hasOwn(KEEPERS, aaguid) ? String(KEEPERS[aaguid]) : browser;
}
