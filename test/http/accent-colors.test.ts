// The colour of an installation: whatever it is, buttons and links can be read.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { accentStyle, contrastRatio, GROUNDS } from '../../src/http/accent-colors.ts';

const stylesheet = readFileSync(new URL('../../views/style.css', import.meta.url), 'utf8');

/** The custom properties of each `:root` of a style: first those for light, then those for dark. */
function schemesOf(style: string): Record<string, string>[] {
  return [...style.matchAll(/:root\s*{([^}]*)}/g)].map(([, rules = '']) =>
    Object.fromEntries([...rules.matchAll(/--([\w-]+):\s*([^;]+);?/g)].map(([, name, value]) => [name, value?.trim()])),
  );
}

/** Every fourth shade of each channel: 4913 colours. */
function* colors(): Generator<string> {
  const shades = Array.from({ length: 17 }, (_, index) => Math.min(255, index * 16));
  for (const red of shades) {
    for (const green of shades) {
      for (const blue of shades) yield `#${[red, green, blue].map((c) => c.toString(16).padStart(2, '0')).join('')}`;
    }
  }
}

describe('the colour of an installation', () => {
  it('makes links and words on buttons readable in light and dark, whatever it is (WCAG 2.2 §1.4.3)', () => {
    const unreadable: string[] = [];
    for (const color of colors()) {
      const schemes = schemesOf(accentStyle(color));
      for (const [scheme, ground] of Object.values(GROUNDS).entries()) {
        const { button = '', accent = '', ...rest } = schemes[scheme] ?? {};
        const pairs: [string, string][] = [
          [button, rest['on-button'] ?? ''],
          [rest['button-hover'] ?? '', rest['on-button'] ?? ''],
          [accent, ground],
          [rest['accent-hover'] ?? '', ground],
        ];
        if (!pairs.every(([one, other]) => contrastRatio(one, other) >= 4.5)) unreadable.push(`${color} ${scheme}`);
      }
    }
    assert.deepEqual(unreadable, []);
  });

  it('is that of the buttons as it is, and of the links where it can be read', () => {
    const [light, dark] = schemesOf(accentStyle('#0f6157'));
    assert.deepEqual([light?.['button'], light?.['accent'], dark?.['button']], ['#0f6157', '#0f6157', '#0f6157']);
    assert.notEqual(dark?.['accent'], '#0f6157');
  });

  it('has white words on it where they can be read, and black ones elsewhere', () => {
    const words = ['#0f6157', '#000000', '#1a73e8', '#ffeb3b', '#ffffff'].map(
      (color) => schemesOf(accentStyle(color))[0]?.['on-button'],
    );
    assert.deepEqual(words, ['#ffffff', '#ffffff', '#ffffff', '#000000', '#000000']);
  });

  it('is measured as WCAG 2.2 does', () => {
    assert.equal(contrastRatio('#000000', '#ffffff'), 21);
    assert.equal(contrastRatio('#ffffff', '#ffffff'), 1);
    assert.equal(contrastRatio('#767676', '#ffffff').toFixed(2), '4.54');
  });

  it('is readable on every ground of the stylesheet', () => {
    const [light = {}, dark = {}] = schemesOf(stylesheet);
    const grounds = ['page', 'card', 'quiet-hover'];
    const worst = (scheme: Record<string, string>, words: string) =>
      grounds.map((name) => scheme[name] ?? '').sort((a, b) => contrastRatio(a, words) - contrastRatio(b, words))[0];
    assert.deepEqual({ light: worst(light, '#000000'), dark: worst(dark, '#ffffff') }, GROUNDS);
  });

  it('replaces properties that the stylesheet has', () => {
    const [own = {}] = schemesOf(stylesheet);
    for (const scheme of schemesOf(accentStyle('#123456'))) {
      assert.deepEqual(
        Object.keys(scheme).filter((name) => own[name] === undefined),
        [],
      );
    }
  });
});
