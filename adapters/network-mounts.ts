// Recognises files on a network: SQLite's write-ahead log needs shared memory and locks that only a local disk has.
import { readFileSync, realpathSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreRefused } from '../src/store.ts';

/** What is asked about a path; a test answers for file systems that this machine does not have. */
export interface MountProbe {
  /** the magic number of its file system, as `statfs(2)` says it */
  magicOf(path: string): number;
  /** the table of mounts, as `/proc/self/mountinfo` has it (proc(5)); empty where there is none */
  mounts(): string;
}

/** `linux/magic.h` and, for those outside of the kernel, their own sources. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x19830326, 'BeeGFS'],
  [0x786f4256, 'a shared folder of VirtualBox'],
]);

const FUSE = 0x65735546;

/** Programs behind FUSE that keep their files on a local disk; any other may be sshfs, s3fs, a shared folder… */
const LOCAL_FUSE: ReadonlySet<string> = new Set(['fuseblk', 'fuse.fuse-overlayfs', 'fuse.ntfs-3g']);

const thisMachine: MountProbe = {
  // signed on some platforms
  magicOf: (path) => statfsSync(path).type >>> 0,
  mounts() {
    try {
      return readFileSync('/proc/self/mountinfo', 'utf8');
    } catch {
      return '';
    }
  },
};

/**
 * What does not exist yet will be where the nearest folder above it is. Elsewhere than on Linux the numbers
 * mean other things, and nothing is recognised.
 * @throws StoreRefused
 */
export function refuseNetworkMount(path: string, probe: MountProbe = thisMachine): void {
  const existing = nearestExisting(path);
  const magic = probe.magicOf(existing);
  const type = magic === FUSE ? fuseType(existing, probe.mounts()) : NETWORK.get(magic);
  if (type === undefined) return;
  throw new StoreRefused(
    `${path} is on a network file system (${type}), where SQLite loses data: put the database on a local disk, or use Postgres.`,
  );
}

function nearestExisting(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const above = dirname(path);
    if (above === path) throw error;
    return nearestExisting(above);
  }
}

/** Undefined when it is known to be local. The last of several mounts over each other is the one in use. */
function fuseType(path: string, mounts: string): string | undefined {
  let type = 'FUSE';
  let longest = 0;
  for (const line of mounts.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const point = unescapeOctal(left.split(' ')[4] ?? '');
    const holds = path === point || path.startsWith(point === '/' ? point : `${point}/`);
    if (point === '' || !holds || point.length < longest) continue;
    longest = point.length;
    type = right.split(' ')[0] ?? type;
  }
  return LOCAL_FUSE.has(type) ? undefined : type;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
