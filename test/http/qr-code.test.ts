// QR codes as paths: every module where the encoder puts it, with its quiet zone.
import assert from 'node:assert/strict';
import QRCode from 'qrcode';
import { qrCodeOf } from '../../src/http/qr-code.ts';

/** The modules that the path fills. */
function drawn({ size, path }: { size: number; path: string }): boolean[][] {
  const cells = Array.from({ length: size }, () => Array.from({ length: size }, () => false));
  let rest = path;
  for (const [stretch, x, y, length, back] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    assert.equal(length, back);
    for (let cell = 0; cell < Number(length); cell += 1) (cells[Number(y)] as boolean[])[Number(x) + cell] = true;
    rest = rest.replace(stretch, '');
  }
  assert.equal(rest, '', 'nothing else is in the path');
  return cells;
}

describe('QR codes', () => {
  for (const text of ['a', `otpauth://totp/Example:alice?secret=${'A'.repeat(32)}&issuer=Example`, 'ü'.repeat(300)]) {
    it(`draw ${text.slice(0, 30)} as the encoder has it, inside four empty modules (ISO/IEC 18004 §6.3.8)`, () => {
      const { modules } = QRCode.create(text, { errorCorrectionLevel: 'M' });
      const code = qrCodeOf(text);
      assert.equal(code.size, modules.size + 8);
      const cells = drawn(code);
      for (const [y, row] of cells.entries()) {
        for (const [x, dark] of row.entries()) {
          const inside = [x, y].every((at) => at >= 4 && at < modules.size + 4);
          assert.equal(dark, inside && Boolean(modules.get(y - 4, x - 4)), `${x} ${y}`);
        }
      }
    });
  }
});
