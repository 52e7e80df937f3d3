import assert from 'node:assert/strict';
import type { Host } from '../../app/host/host.ts';
import { openHost } from '../../app/host/open-host.ts';
import { type SshHostLab, startSshHost } from '../helpers/ssh-host.ts';
import { until } from '../helpers/until.ts';

/** A second host with units, as the program reaches it, and as it is behind the program's back. */
export class RemoteLab {
  readonly lab: SshHostLab;
  readonly host: Host;

  private constructor(lab: SshHostLab, host: Host) {
    this.lab = lab;
    this.host = host;
  }

  static async start(root?: string): Promise<RemoteLab> {
    const lab = await startSshHost(root === undefined ? {} : { root });
    const opened = openHost(
      {
        systemdScope: 'user',
        sshTarget: lab.target,
        sshConfigFile: lab.sshConfigFile,
        sshConnectTimeoutMs: 5_000,
      },
      {},
    );
    assert.ok(opened.ok, JSON.stringify(opened));
    return new RemoteLab(lab, opened.value);
  }

  /** Runs a script there; what it printed. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.lab.exec(script);
    assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Pushes to the registry there; the digest. */
  async push(name: string, version: string, ...options: string[]): Promise<string> {
    const said = await this.sh(
      `"$LAB_DIR/image" ${[name, '--version', version, ...options].join(' ')}`,
    );
    return said.split(' ').at(-1) ?? '';
  }

  async startUnit(name: string, port: number): Promise<void> {
    const quadlet = `$(podman --version | grep -q 'version [5-9]' && echo --quadlet)`;
    await this.sh(`"$LAB_DIR/unit" ${name} ${name}:stable --port ${port} ${quadlet}`);
  }

  async served(port: number): Promise<string> {
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && timeout 2 tail -n 1 <&3`;
    return (await this.lab.exec(ask)).stdout.trim();
  }

  untilServed(port: number, version: string): Promise<boolean> {
    return until(`${version} on ${port}`, 20_000, async () => {
      return (await this.served(port)) === version;
    });
  }

  async isActive(...units: string[]): Promise<boolean> {
    return (await this.lab.exec(`systemctl --user is-active ${units.join(' ')}`)).code === 0;
  }

  async close(): Promise<void> {
    await this.host.close();
    await this.lab.close();
  }
}
