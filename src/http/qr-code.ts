// QR codes as the path of an inline SVG: nothing to fetch, and no style that a Content-Security-Policy would have to let in.
import QRCode from 'qrcode';

/** Draw it black on white, in a `viewBox` of `0 0 size size`; the quiet zone around it is part of it. */
export interface QrCode {
  size: number;
  /** `d` of a `path` that is filled */
  path: string;
}

/** Modules without any mark that readers want around it (ISO/IEC 18004 §6.3.8). */
const QUIET_ZONE = 4;

export function qrCodeOf(text: string): QrCode {
  const { modules } = QRCode.create(text, { errorCorrectionLevel: 'M' });
  const rows = Array.from({ length: modules.size }, (_, row) => runsOf(modules, row));
  return { size: modules.size + 2 * QUIET_ZONE, path: rows.join('') };
}

/** The dark stretches of a row. */
function runsOf({ size, data }: { size: number; data: Uint8Array }, row: number): string {
  const cells = Array.from(data.subarray(row * size, (row + 1) * size), (dark) => (dark ? '#' : ' ')).join('');
  const stretches = cells.matchAll(/#+/g);
  return Array.from(stretches, ({ index, 0: { length } }) => {
    return `M${index + QUIET_ZONE} ${row + QUIET_ZONE}h${length}v1h-${length}z`;
  }).join('');
}
